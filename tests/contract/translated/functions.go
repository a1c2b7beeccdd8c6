package translated

import (
	"slices"
	"strings"
)

const (
	// gatewayTimeout is when API Gateway stops waiting for a function, in seconds.
	gatewayTimeout = 30
	// longestTimeout is the longest time that Lambda lets a function run, in seconds.
	longestTimeout = 900
	// mostPerFunction and mostPerStack keep a growing API below CloudFormation's 500 resources. A public read has
	// one more: the permission of its HEAD route.
	mostPerFunction, mostPerStack = 6, 480
)

// Functions checks that every function has a role of its own and a timeout: below the gateway's, or Lambda's longest for a
// worker, which no client waits for.
func Functions(s Stack) []string {
	var f faults
	for _, id := range s.of(typeFunction) {
		props := s.Resources[id].Properties
		want := strings.TrimSuffix(id, "Function") + "Role"
		if role := attribute(props["Role"], "Arn"); role != want || !s.is(role, typeRole) {
			f.add("%s: its role is %q: define %s for it alone", id, role, want)
		}
		timeout, ok := s.number(props["Timeout"])
		switch worker := slices.Contains(s.workers(), id); {
		case worker && (!ok || timeout > longestTimeout):
			f.add("%s: its Timeout is %v s, want at most Lambda's %d s", id, props["Timeout"], longestTimeout)
		case !worker && (!ok || timeout >= gatewayTimeout):
			f.add("%s: its Timeout is %v s, want less than the %d s that API Gateway waits", id, props["Timeout"], gatewayTimeout)
		}
	}
	return f
}

// LogGroups checks that every log group has a retention, and that every function may write to its log
// group and an alarm counts the failed invocations in it.
func LogGroups(s Stack) []string {
	var f faults
	for _, id := range s.of(typeLogGroup) {
		if days, ok := s.number(s.Resources[id].Properties["RetentionInDays"]); !ok || days < 1 {
			f.add("%s: it keeps logs for ever: set RetentionInDays: !Ref LogRetentionDays", id)
		}
	}
	var writable []string
	for _, st := range statements(at(s.Resources[basics].Properties, "PolicyDocument", "Statement"), "") {
		if slices.Contains(st.actions, any("logs:PutLogEvents")) {
			writable = append(writable, names(st.resources)...)
		}
	}
	for _, id := range s.of(typeFunction) {
		props := s.Resources[id].Properties
		group := ref(at(props, "LoggingConfig", "LogGroup"))
		switch {
		case !s.is(group, typeLogGroup):
			f.add("%s: its log group is %q: set LoggingConfig: {LogGroup: !Ref …} to one of this stack", id, group)
		case !slices.Contains(writable, group):
			f.add("%s: it may not write to %s: add the group to %s", id, group, basics)
		case !s.alarmed(group):
			f.add("%s: no alarm counts the failed invocations in %s: copy a MetricFilter such as CatalogFailures", id, group)
		}
		// Only JSON has the reports that the metric filters read, and only from INFO on.
		if text(props, "LoggingConfig", "LogFormat") != "JSON" || text(props, "LoggingConfig", "SystemLogLevel") != "INFO" {
			f.add("%s: its LoggingConfig is %v, want LogFormat JSON and SystemLogLevel INFO", id, props["LoggingConfig"])
		}
	}
	return f
}

// alarmed reports whether an alarm fires at one failed invocation in a log group.
func (s Stack) alarmed(group string) bool {
	return slices.ContainsFunc(s.of(typeMetricFilter), func(id string) bool {
		props := s.Resources[id].Properties
		return ref(props["LogGroupName"]) == group && text(props, "FilterPattern") == failedInvocation &&
			slices.ContainsFunc(s.of(typeAlarm), func(alarm string) bool {
				return s.atOne(alarm) && s.counts(id, s.Resources[alarm].Properties)
			})
	})
}

// Aliases checks that the authorizer and the workers have no alias, and every other function one, for a version
// whose description changes with every parameter.
//
// CloudFormation publishes a version only when a property of the version changes: without the
// description the alias would keep the old parameters for ever.
func Aliases(s Stack) []string {
	var f faults
	for _, id := range s.of(typeFunction) {
		aliases := s.aliases(id)
		switch {
		case id == Authorizer && len(aliases) > 0:
			f.add("%s: it has the alias %s: remove it, because sam local skips an authorizer behind an alias", id, aliases[0])
		case slices.Contains(s.workers(), id) && len(aliases) > 0:
			f.add("%s: it has the alias %s: remove it, because a queue, a stream or a rule invokes the function itself", id, aliases[0])
		}
		if id == Authorizer || slices.Contains(s.workers(), id) {
			continue
		}
		if len(aliases) != 1 {
			f.add("%s: it has %d aliases, want the one that Globals make", id, len(aliases))
			continue
		}
		version := attribute(s.Resources[aliases[0]].Properties["FunctionVersion"], "Version")
		props := s.Resources[version].Properties
		if !s.is(version, typeVersion) || ref(props["FunctionName"]) != id {
			f.add("%s: its alias is for the version %q, want one of this function", id, version)
		} else if ref(props["Description"]) != configVersion {
			f.add("%s: set VersionDescription: !Ref %s, so that a changed parameter publishes a version", id, configVersion)
		}
	}
	return f
}

// aliases lists the aliases of a function.
func (s Stack) aliases(function string) []string {
	return slices.DeleteFunc(s.of(typeAlias), func(id string) bool {
		return ref(s.Resources[id].Properties["FunctionName"]) != function
	})
}

// Deployments checks, on an environment that deploys gradually, that every alias is shifted by a
// deployment group which stops and rolls back on alarms of this stack.
func Deployments(s Stack) []string {
	var f faults
	for _, id := range s.of(typeAlias) {
		update := at(s.Resources[id].UpdatePolicy, "CodeDeployLambdaAliasUpdate")
		group := ref(at(update, "DeploymentGroupName"))
		if !s.is(group, typeDeployment) || !s.is(ref(at(update, "ApplicationName")), typeApplication) {
			f.add("%s: no deployment group shifts its traffic: leave DeploymentPreference to Globals", id)
			continue
		}
		props := s.Resources[group].Properties
		alarms := list(at(props, "AlarmConfiguration", "Alarms"))
		if !s.truth(at(props, "AlarmConfiguration", "Enabled")) || len(alarms) == 0 {
			f.add("%s: no alarm stops it: leave DeploymentPreference to Globals", group)
		}
		for _, alarm := range alarms {
			if name := ref(at(alarm, "Name")); !s.is(name, typeAlarm) {
				f.add("%s: its alarm %q is not in this stack", group, name)
			}
		}
		events := list(at(props, "AutoRollbackConfiguration", "Events"))
		if !s.truth(at(props, "AutoRollbackConfiguration", "Enabled")) || !slices.Contains(events, any("DEPLOYMENT_STOP_ON_ALARM")) {
			f.add("%s: it does not roll back when an alarm stops it", group)
		}
	}
	return f
}

// Size checks how many resources one function needs, and all of them together.
func Size(s Stack) []string {
	var f faults
	owned := map[string]int{}
	for id := range s.Resources {
		if strings.HasSuffix(id, "HeadPermission") {
			continue
		}
		// The longest operation that the name begins with: GetProductFunction does not own the resources
		// of GetProductsFunction.
		var owner string
		for _, function := range s.of(typeFunction) {
			base := strings.TrimSuffix(function, "Function")
			if strings.HasPrefix(id, base) && len(base) > len(strings.TrimSuffix(owner, "Function")) {
				owner = function
			}
		}
		owned[owner]++
	}
	for _, id := range s.of(typeFunction) {
		if owned[id] > mostPerFunction {
			f.add("%s: it has %d resources, want at most %d: share alarms and log groups", id, owned[id], mostPerFunction)
		}
	}
	if n := len(s.Resources); n > mostPerStack {
		f.add("the stack has %d resources, want at most %d: CloudFormation stops at 500", n, mostPerStack)
	}
	return f
}
