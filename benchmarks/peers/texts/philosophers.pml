/* models/philosophers.py, step for step. */

#ifndef N
#define N 10
#endif

#define acquire(fork) d_step { !fork -> fork = true }
#define release(fork) fork = false

bool forks[N];

#define eat_for_ever(first, second) \
  do \
  :: acquire(forks[first]); \
     acquire(forks[second]); \
     release(forks[second]); \
     release(forks[first]) \
  od

active [N - 1] proctype philosopher() {
  eat_for_ever(_pid, _pid + 1)
}

active proctype last() {
  eat_for_ever(0, N - 1)
}
