package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

	"golang.org/x/sys/unix"
)

// port is a free TCP port of the loopback address, reserved for a program that binds it with SO_REUSEPORT.
//
// A socket that is bound but does not listen keeps the port from everybody who does not ask for sharing and
// gets no connections itself. So nobody can take the port between its choice and the program's start, nor
// while the program restarts.
type port struct {
	number int
	socket int
}

func reservePort() (port, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return port{}, fmt.Errorf("cannot make a socket: %w", err)
	}
	unix.CloseOnExec(socket)
	number, err := bindShared(socket)
	if err != nil {
		_ = unix.Close(socket)
		return port{}, err
	}
	return port{number: number, socket: socket}, nil
}

func bindShared(socket int) (int, error) {
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, fmt.Errorf("cannot make a port shareable: %w", err)
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("cannot reserve a port: %w", err)
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		return 0, fmt.Errorf("cannot tell which port was reserved: %w", err)
	}
	v4, ok := address.(*unix.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("reserved a port of an unexpected kind of address, %T", address)
	}
	return v4.Port, nil
}

func (p port) url() string { return fmt.Sprintf("https://127.0.0.1:%d", p.number) }

// release gives the port up. It may be called again, and on a port that was never reserved.
func (p *port) release() {
	if p.number == 0 {
		return
	}
	_ = unix.Close(p.socket)
	*p = port{}
}

// FreeAddress is an address of this machine for a program that cannot share a reserved port. It is free now, and
// no port that the kernel gives to those who ask for any.
func FreeAddress() (string, error) {
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", errors.New("cannot find a free port")
}
