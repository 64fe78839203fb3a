//go:build panics

package sensitive

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// The build tag panics is for tests alone: what is built with it panics where it has just got hold of a value, in every
// way in which a panic could tell of it. PANIC_AT=n is for the n-th value of the process; PANIC_RARER=n for the n-th, and
// from then on for ever fewer of them, so that what is tried again succeeds in the end.
var (
	panicAt = number("PANIC_AT")
	rarer   atomic.Int64
	values  atomic.Int64
)

func init() { rarer.Store(number("PANIC_RARER")) }

func number(variable string) int64 {
	n, _ := strconv.ParseInt(os.Getenv(variable), 10, 64)
	return n
}

// holder has a value where fmt does not call its methods.
type holder struct {
	Exported Value
	hidden   Value
	pointer  *Value
}

func revealed(v Value) {
	n := values.Add(1)
	next := rarer.Load()
	due := next > 0 && n >= next && rarer.CompareAndSwap(next, n+1+n/2)
	if n != panicAt && !due {
		return
	}
	fmt.Fprintf(os.Stderr, "panicking with value %d\n", n)
	with(*v.p, v, n)
}

// with has the value, as a string too, among its arguments, where a stack trace shows what it shows of them.
//
//go:noinline
func with(plain string, v Value, n int64) {
	defer func() { _ = plain }()
	switch n % 7 {
	case 0:
		panic(v)
	case 1:
		panic(fmt.Errorf("cannot use %v %+v %#v %q %x %s", v, v, v, v, v, v)) //nolint:errorlint // it is no error
	case 2:
		panic(holder{Exported: v, hidden: v, pointer: &v})
	case 3:
		panic(fmt.Sprintf("cannot use %+v and %#v", holder{v, v, &v}, &holder{v, v, &v}))
	case 4:
		var none map[string]Value
		none[plain] = v
	case 5:
		_ = plain[len(plain)+len(strings.Fields(plain)):][1]
	case 6:
		var any any = v
		_ = any.(interface{ Nothing() })
	}
	panic(errors.Join(fmt.Errorf("%w", errors.New("the end")), fmt.Errorf("with %d", v)))
}
