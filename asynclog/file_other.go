//go:build !unix

package asynclog

const openFlags = 0
