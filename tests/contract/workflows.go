package contract

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

var (
	uses   = regexp.MustCompile(`(?m)^[^#\n]*\buses: *(\S+)(.*)$`)
	pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	// version is what Dependabot reads and rewrites beside a commit.
	version = regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`)
)

// Actions checks that a workflow names every action by its commit, with the version as a comment: a tag can be
// moved to other code.
func Actions(name, workflow string) []string {
	var f faults
	for _, m := range uses.FindAllStringSubmatch(workflow, -1) {
		switch action := m[1]; {
		case strings.HasPrefix(action, "./"):
		case !pinned.MatchString(action):
			f.add("%s uses %s: name the commit, 40 hexadecimal digits, and its version as a comment: # v1.2.3", name, action)
		case !version.MatchString(m[2]):
			f.add("%s uses %s: add its version as a comment: # v1.2.3", name, action)
		}
	}
	return f
}

// Credentials checks that a job that gets AWS credentials installs the Python tools and builds the functions, if it
// needs them, before that: what is downloaded then could not take the credentials.
func Credentials(name, workflow string) []string {
	var f faults
	var file struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string `yaml:"uses"`
				Run  string `yaml:"run"`
			} `yaml:"steps"`
		} `yaml:"jobs"`
	}
	if err := yaml.Unmarshal([]byte(workflow), &file); err != nil {
		f.add("%s: %v", name, err)
	}
	needs := map[string][]string{"make package": {"venv", "build"}, "make promote": {"venv"}}
	for job, body := range file.Jobs {
		var before []string
		credentials := false
		for _, step := range body.Steps {
			credentials = credentials || strings.HasPrefix(step.Uses, "aws-actions/configure-aws-credentials@")
			switch {
			case !credentials:
				before = append(before, strings.Fields(strings.TrimPrefix(step.Run, "make "))...)
			case strings.Contains(step.Uses, "/setup-") || strings.Contains(step.Run, "install"):
				f.add("%s: the job %s installs with credentials: move %s%s before them", name, job, step.Uses, step.Run)
			default:
				for _, target := range needs[step.Run] {
					if !slices.Contains(before, target) {
						f.add("%s: the job %s has credentials when %s installs: run make %s before them", name, job, step.Run, target)
					}
				}
			}
		}
	}
	return f
}

var (
	requirement = regexp.MustCompile(`^[\w.-]+(\[[\w,-]+\])?==[^ ;\\]+( ;[^\\]+)? \\$`)
	hash        = regexp.MustCompile(`^    --hash=sha256:[0-9a-f]{64}( \\)?$`)
)

// Hashes checks that every entry of a list of Python packages has one version and the hashes of its files.
func Hashes(name, list string) []string {
	var f faults
	last := ""
	for line := range strings.SplitSeq(strings.TrimSuffix(list, "\n"), "\n") {
		switch {
		case line == "", strings.HasPrefix(line, "#"):
			continue
		case requirement.MatchString(line):
			last = line
		case hash.MatchString(line) && last != "":
		default:
			f.add("%s: %q is not a pinned package or a hash: compile the list again, by the command at its top", name, line)
		}
	}
	if last == "" {
		f.add("%s names no package", name)
	}
	return f
}

// Installs checks that every pip install in a file verifies hashes.
func Installs(name, text string) []string {
	var f faults
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, "pip install ") && !strings.Contains(line, "--require-hashes") {
			f.add("%s installs without --require-hashes: %s", name, strings.TrimSpace(line))
		}
	}
	return f
}

// Dependabot checks that GitHub watches the actions, the Python tools and every Go module, by the folders of each.
func Dependabot(config string, want map[string][]string) []string {
	var f faults
	var file struct {
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directory   string   `yaml:"directory"`
			Directories []string `yaml:"directories"`
		} `yaml:"updates"`
	}
	if err := yaml.Unmarshal([]byte(config), &file); err != nil {
		f.add("dependabot.yml: %v", err)
	}
	got := map[string][]string{}
	for _, update := range file.Updates {
		got[update.Ecosystem] = append(got[update.Ecosystem], update.Directories...)
		if update.Directory != "" {
			got[update.Ecosystem] = append(got[update.Ecosystem], update.Directory)
		}
	}
	for ecosystem, folders := range want {
		for _, folder := range folders {
			if !slices.Contains(got[ecosystem], folder) {
				f.add("dependabot.yml: nothing watches %s in %s: add it", ecosystem, folder)
			}
		}
	}
	return f
}
