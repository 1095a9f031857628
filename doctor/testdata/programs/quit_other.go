//go:build !unix

package main

func quit() { panic("no SIGQUIT on this system") }
