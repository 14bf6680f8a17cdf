/* models/bounded_buffer.py, step for step. */

#ifndef SIZE
#define SIZE 2
#endif

#define NOTHING 3

#define acquire(lock) d_step { !lock -> lock = true }
#define draw(counter) d_step { place = counter; counter = (counter + 1) % SIZE }

byte tail, head;
byte ring[SIZE] = NOTHING;
bool room[SIZE]; /* locked */
bool item[SIZE] = true;

active [3] proctype producer() {
  byte place; /* 0 while dead */
  do
  :: draw(tail);
     acquire(room[place]);
     ring[place] = _pid;
     d_step { assert(item[place]); item[place] = false; place = 0 }
  od
}

active [2] proctype consumer() {
  byte place;
  do
  :: draw(head);
     acquire(item[place]);
     assert(ring[place] != NOTHING);
     ring[place] = NOTHING;
     d_step { assert(room[place]); room[place] = false; place = 0 }
  od
}
