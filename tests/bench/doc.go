// Package bench measures what identity costs as ratios, each within one run, where what else the machine
// does meets both sides alike: a bad token beside a good one, a decision with a look at the session
// beside one without, a public-key algorithm beside HS256. `make bench` prints them.
package bench
