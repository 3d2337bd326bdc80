/* Logarithm, exponential and normal quantile from additions, multiplications, divisions and square roots
   alone. These are exact in IEEE 754, so the results are the same bits on every processor and with every C
   library; those of libm are not. */
#ifndef AQ_BASE_REAL_H
#define AQ_BASE_REAL_H

/* Natural logarithm of a positive, normal, finite x; relative error below 1e-15 away from 1,
   absolute below 1e-16 near it. */
double aq_log(double x);

/* e to the x, relative error below 1e-15; 0 below -708, the value at 709 above it. */
double aq_exp(double x);

/* The x that a standard normal variable falls below with probability p, 0 < p < 1; relative error
   about 1e-16 (Wichura, "Algorithm AS 241: the percentage points of the normal distribution",
   Applied Statistics 37, 1988). */
double aq_normal_quantile(double p);

#endif
