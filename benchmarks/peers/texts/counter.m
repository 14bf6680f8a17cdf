-- models/counter.py, step for step.

const
  N: 3;
  K: 5;

type
  thread: 0 .. N - 1;
  value: 0 .. N * K;

var
  counter: value;
  done: array [thread] of 0 .. K;
  holds: array [thread] of boolean; -- has read, and not yet written
  temp: array [thread] of value;

startstate begin
  clear counter;
  clear done;
  clear holds;
  clear temp;
end;

ruleset i: thread do
  rule "read"
    !holds[i] & done[i] < K
  ==> begin
    temp[i] := counter;
    holds[i] := true;
  end;

  rule "write"
    holds[i]
  ==> begin
    counter := temp[i] + 1;
    temp[i] := 0; -- dead
    holds[i] := false;
    done[i] := done[i] + 1;
  end;
end;
