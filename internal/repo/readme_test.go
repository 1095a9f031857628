package repo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	inline   = regexp.MustCompile("`[^`\n]*`")
	goBlock  = regexp.MustCompile("(?s)```go\n(.*?)```")
	fileLink = regexp.MustCompile(`(?:\]\(|src(?:set)?=")([^)#:"]+)[)"]`)
)

func readDoc(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// unindented makes an excerpt comparable to its source.
func unindented(code string) string {
	lines := strings.Split(strings.TrimSpace(code), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// TestReadmeSnippets: Go code in the README is part of an example that is
// compiled and run.
func TestReadmeSnippets(t *testing.T) {
	files, err := filepath.Glob("example*_test.go")
	require.NoError(t, err)
	var examples strings.Builder
	for _, file := range files {
		examples.WriteString(unindented(readDoc(t, file)))
	}
	blocks := goBlock.FindAllStringSubmatch(readDoc(t, "README.md"), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		found := strings.Contains(examples.String(), unindented(block[1]))
		assert.True(t, found, "no example has this:\n%s", block[1])
		assert.LessOrEqual(t, strings.Count(block[1], "\n"), 12, block[1])
	}
}

// TestReadmeForm: short enough to be read, and its first paragraph keeps
// people from the wrong library.
func TestReadmeForm(t *testing.T) {
	readme := readDoc(t, "README.md")
	words := len(strings.Fields(readme))
	assert.True(t, 80 <= words && words <= 450, "%d words", words)
	paragraphs := strings.SplitN(readme, "\n\n", 3)
	assert.Contains(t, paragraphs[1], "github.com/smallnest/chanx")
	for _, command := range []string{
		"go run ./examples/incident", "go test ./...", "go get example.com/chanx",
		"go run ./cmd/chanx doctor http://localhost:6060",
	} {
		assert.Contains(t, readme, "\n    "+command+"\n")
	}
}

// TestReadmeInChinese: the translation has the sections, commands, code, tables
// and links of the original. Its links lead back instead.
func TestReadmeInChinese(t *testing.T) {
	form := regexp.MustCompile("(?m)^(#+) |^    .*$|^- |`[^`\n]*`|<[^>]*(?:media|srcset)[^>]*>|^\\|[-|]*")
	of := func(file string) []string {
		text := readDoc(t, file)
		parts := goBlock.FindAllString(text, -1)
		text = goBlock.ReplaceAllString(text, "")
		parts = append(parts, form.FindAllString(text, -1)...)
		for _, link := range fileLink.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(link[1], "README") {
				parts = append(parts, link[1])
			}
		}
		return parts
	}
	assert.Equal(t, of("README.md"), of("README.zh-CN.md"))
}

// TestDocumentLinks: the files that documents of the repository link to exist.
func TestDocumentLinks(t *testing.T) {
	links := 0
	for _, pattern := range []string{"*.md", "*/*.md", "*/*/*.md"} {
		documents, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, document := range documents {
			text := goBlock.ReplaceAllString(readDoc(t, document), "")
			text = inline.ReplaceAllString(text, "")
			for _, link := range fileLink.FindAllStringSubmatch(text, -1) {
				file := filepath.FromSlash(link[1])
				assert.FileExists(t, filepath.Join(filepath.Dir(document), file),
					document)
				links++
			}
		}
	}
	assert.NotZero(t, links)
}

var style = regexp.MustCompile(`(?s)<style>.*?</style>`)

// TestReadmePictures: the dark picture is the light one in other colors.
func TestReadmePictures(t *testing.T) {
	light := readDoc(t, "docs/incident-light.svg")
	dark := readDoc(t, "docs/incident-dark.svg")
	assert.NotEqual(t, light, dark)
	assert.Equal(t, style.ReplaceAllString(light, ""),
		style.ReplaceAllString(dark, ""))
	assert.NotContains(t, light+dark, "@media")
}
