// Package golangci makes the checks of chanx vet a module plugin of
// golangci-lint. With a .custom-gcl.yml of
//
//	version: v2.15.0
//	plugins:
//	  - module: example.com/chanx/cmd/chanx
//	    import: example.com/chanx/cmd/chanx/vet/golangci
//	    version: latest
//
// the command golangci-lint custom builds a linter that has them, once the
// module has a name under which it can be fetched; until then, a main package
// with this import, a replace directive and golangci-lint's commands.Execute
// does. Then .golangci.yml turns them on:
//
//	linters:
//	  enable: [chanx]
//	  settings:
//	    custom:
//	      chanx:
//	        type: module
//	        settings:
//	          more: false
package golangci

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"example.com/chanx/cmd/chanx/vet"
)

func init() { register.Plugin("chanx", newPlugin) }

// settings are those of the linter in .golangci.yml.
type settings struct {
	// More adds the findings of the weaker checks.
	More bool `json:"more"`
}

type plugin struct{ settings }

func newPlugin(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](conf)
	return plugin{s}, err
}

// BuildAnalyzers returns the checks.
func (p plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return vet.Analyzers(vet.Options{More: p.More}), nil
}

// GetLoadMode asks for types: the checks build their own form of the source.
func (plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
