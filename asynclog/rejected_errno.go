//go:build !plan9

package asynclog

import (
	"errors"
	"syscall"
)

// tooLong reports whether err says that a message is too long for its
// transport, which is the record's fault and not the transport's.
func tooLong(err error) bool {
	var e syscall.Errno
	return errors.As(err, &e) && (e == syscall.EMSGSIZE || e == wsaEMSGSIZE)
}

// wsaEMSGSIZE is EMSGSIZE of Windows sockets; no other system has that number.
const wsaEMSGSIZE = 10040
