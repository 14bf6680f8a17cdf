/* models/counter.py, step for step. */

#ifndef N
#define N 3
#define K 5
#endif

byte counter;

active [N] proctype increment() {
  byte done, temp;

  /* No thread ends: the order in which processes end would be part of the state. */
end:
  do
  :: d_step { done < K -> temp = counter };
     d_step { counter = temp + 1; temp = 0 /* dead */; done++ }
  od
}
