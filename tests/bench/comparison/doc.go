// Package comparison measures Tienda's functions beside the peers of tests/bench/peers, which do the same work in the usual
// way: every binary as a process of its own, on the same machine, in the same run, in turns. Its results are ratios to the
// peer called bare, the least that a function on aws-lambda-go can be.
package comparison
