-- models/philosophers.py, step for step.

const
  N: 10;

type
  philosopher: 0 .. N - 1;
  place: enum { at_start, has_first, eats, put_second };

var
  fork: array [philosopher] of boolean; -- taken
  at: array [philosopher] of place;

function first(i: philosopher): philosopher;
begin
  if i = N - 1 then return 0; end;
  return i;
end;

function second(i: philosopher): philosopher;
begin
  if i = N - 1 then return i; end;
  return i + 1;
end;

startstate begin
  clear fork;
  clear at;
end;

ruleset i: philosopher do
  rule "acquire first"
    at[i] = at_start & !fork[first(i)]
  ==> begin
    fork[first(i)] := true;
    at[i] := has_first;
  end;

  rule "acquire second"
    at[i] = has_first & !fork[second(i)]
  ==> begin
    fork[second(i)] := true;
    at[i] := eats;
  end;

  rule "release second"
    at[i] = eats
  ==> begin
    fork[second(i)] := false;
    at[i] := put_second;
  end;

  rule "release first"
    at[i] = put_second
  ==> begin
    fork[first(i)] := false;
    at[i] := at_start;
  end;
end;
