-- models/filter_lock.py, step for step.

const
  N: 4;
  ROUNDS: 1;

type
  thread: 0 .. N - 1;
  count: 0 .. N - 1;
  place: enum { rise, claim, look, ask, enter, leave, go_out };

var
  level: array [thread] of count;
  victim: array [count] of 0 .. N; -- N: nobody
  at: array [thread] of place;
  rounds: array [thread] of 0 .. ROUNDS;
  climb: array [thread] of count; -- the local variable `level`; 0 while dead
  other: array [thread] of thread; -- 0 while dead

-- The first to look at from `from` on, but for oneself: N if there is none.
function next(i: thread; from: 0 .. N): 0 .. N;
begin
  if from = i then return from + 1; end;
  return from;
end;

startstate begin
  clear level;
  for k: count do victim[k] := N; end;
  clear at;
  clear rounds;
  for i: thread do climb[i] := 1; end;
  clear other;
end;

-- On to the next thread to look at, the next level, or in.
procedure go_on(i: thread);
var following: 0 .. N;
begin
  following := next(i, other[i] + 1);
  if following < N then
    at[i] := look;
    other[i] := following;
  else
    other[i] := 0;
    if climb[i] < N - 1 then
      at[i] := rise;
      climb[i] := climb[i] + 1;
    else
      at[i] := enter;
      climb[i] := 0;
    end;
  end;
end;

ruleset i: thread do
  rule "write level"
    at[i] = rise & rounds[i] < ROUNDS
  ==> begin
    level[i] := climb[i];
    at[i] := claim;
  end;

  rule "write victim"
    at[i] = claim
  ==> begin
    victim[climb[i]] := i;
    at[i] := look;
    other[i] := next(i, 0);
  end;

  rule "read level"
    at[i] = look
  ==> begin
    if level[other[i]] >= climb[i] then at[i] := ask; else go_on(i); end;
  end;

  rule "read victim"
    at[i] = ask
  ==> begin
    if victim[climb[i]] = i then at[i] := look; else go_on(i); end;
  end;

  rule "enter"
    at[i] = enter
  ==> begin
    at[i] := leave;
  end;

  rule "leave"
    at[i] = leave
  ==> begin
    at[i] := go_out;
  end;

  rule "write level 0"
    at[i] = go_out
  ==> begin
    level[i] := 0;
    at[i] := rise;
    rounds[i] := rounds[i] + 1;
    if rounds[i] < ROUNDS then climb[i] := 1; end;
  end;
end;

invariant "mutual exclusion"
  forall i: thread do
    forall k: thread do
      i < k -> !(at[i] = leave & at[k] = leave)
    end
  end;
