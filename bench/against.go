package main

import (
	"errors"
	"io"
)

func against(root string, s settings, stdout, stderr io.Writer) error {
	return errors.New("-against: to come")
}
