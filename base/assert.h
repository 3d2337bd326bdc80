/* Invariants: checked in every build. A broken one is a defect of this program, never of its input. */
#ifndef AQ_BASE_ASSERT_H
#define AQ_BASE_ASSERT_H

/* Prints the place and the broken invariant on stderr and aborts. */
_Noreturn void aq_assert_failed(const char *file, int line, const char *function, const char *invariant);

#define AQ_ASSERT(condition)                                                                                 \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                            \
                                        : aq_assert_failed(__FILE__, __LINE__, __func__, #condition))

#endif
