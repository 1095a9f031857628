// Package csp has the content security policy of the pages of doctor and
// observe, which contain text of other programs.
package csp

import (
	"crypto/sha256"
	"encoding/base64"
)

// Policy returns the policy of a page without scripts whose only style element
// has that text. Bars are drawn, because a width in a style attribute would need
// 'unsafe-inline'.
func Policy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}
