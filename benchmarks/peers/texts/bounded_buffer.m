-- models/bounded_buffer.py, step for step.

const
  SIZE: 2;

type
  place: 0 .. SIZE - 1;
  producer: 0 .. 2;
  consumer: 0 .. 1;

var
  tail: place;
  head: place;
  ring: array [place] of 0 .. 3; -- 3: None
  room: array [place] of boolean; -- locked
  item: array [place] of boolean;
  p_at: array [producer] of enum { draw, take_room, fill, give_item };
  p_place: array [producer] of place; -- 0 while dead
  c_at: array [consumer] of enum { c_draw, take_item, look, clean, give_room };
  c_place: array [consumer] of place;

startstate begin
  clear tail;
  clear head;
  for k: place do ring[k] := 3; end;
  clear room;
  for k: place do item[k] := true; end;
  clear p_at;
  clear p_place;
  clear c_at;
  clear c_place;
end;

ruleset i: producer do
  rule "draw a place to fill"
    p_at[i] = draw
  ==> begin
    p_place[i] := tail;
    tail := (tail + 1) % SIZE;
    p_at[i] := take_room;
  end;

  rule "acquire room"
    p_at[i] = take_room & !room[p_place[i]]
  ==> begin
    room[p_place[i]] := true;
    p_at[i] := fill;
  end;

  rule "write ring"
    p_at[i] = fill
  ==> begin
    ring[p_place[i]] := i;
    p_at[i] := give_item;
  end;

  rule "release item"
    p_at[i] = give_item
  ==> begin
    assert item[p_place[i]] "release unlocked lock";
    item[p_place[i]] := false;
    p_place[i] := 0;
    p_at[i] := draw;
  end;
end;

ruleset i: consumer do
  rule "draw a place to empty"
    c_at[i] = c_draw
  ==> begin
    c_place[i] := head;
    head := (head + 1) % SIZE;
    c_at[i] := take_item;
  end;

  rule "acquire item"
    c_at[i] = take_item & !item[c_place[i]]
  ==> begin
    item[c_place[i]] := true;
    c_at[i] := look;
  end;

  rule "read ring"
    c_at[i] = look
  ==> begin
    assert ring[c_place[i]] != 3 "something is there";
    c_at[i] := clean;
  end;

  rule "write ring"
    c_at[i] = clean
  ==> begin
    ring[c_place[i]] := 3;
    c_at[i] := give_room;
  end;

  rule "release room"
    c_at[i] = give_room
  ==> begin
    assert room[c_place[i]] "release unlocked lock";
    room[c_place[i]] := false;
    c_place[i] := 0;
    c_at[i] := c_draw;
  end;
end;
