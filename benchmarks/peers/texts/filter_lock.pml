/* models/filter_lock.py, step for step. */

#ifndef N
#define N 4
#define ROUNDS 1
#endif

#define NOBODY N

byte level[N];
byte victim[N] = NOBODY; /* of each level; that of level 0 is never used */
byte inside;

/* The first thread to look at from number `k` on, and the last: not oneself. */
#define others_from(k) (k + (k == _pid))
#define LAST (N - 1 - (_pid == N - 1))

/* One reads, finds that one need not wait for `other`, and goes on: to the next thread to look at,
   to the next level, or in. */
#define go_on_if(condition) \
  :: d_step { condition && other < LAST -> other = others_from(other + 1) }; goto look; \
  :: d_step { condition && other == LAST && climb < N - 1 -> other = 0; climb++ }; goto rise; \
  :: d_step { condition && other == LAST && climb == N - 1 -> other = 0; climb = 0 }; goto enter

active [N] proctype worker() {
  byte rounds;
  byte climb = 1; /* the local variable `level`; 0 while dead */
  byte other; /* 0 while dead */

end:
rise:
  if /* around a d_step that is jumped to */
  :: d_step { rounds < ROUNDS -> level[_pid] = climb }
  fi;
  d_step { victim[climb] = _pid; other = others_from(0) };
look:
  if
  :: level[other] >= climb
  go_on_if(level[other] < climb)
  fi;
  if
  :: victim[climb] == _pid -> goto look
  go_on_if(victim[climb] != _pid)
  fi;
enter:
  if
  :: d_step { inside++; assert(inside == 1) }
  fi;
  inside--;
  d_step { level[_pid] = 0; rounds++; if :: rounds < ROUNDS -> climb = 1 :: else fi };
  goto rise
}
