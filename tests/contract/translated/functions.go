package translated

import (
	"slices"
	"strings"
)

const (
	// gatewayTimeout is when API Gateway stops waiting for a function, in seconds.
	gatewayTimeout = 30
	// mostPerFunction, mostPerStack and plannedFunctions keep a growing API below CloudFormation's 500
	// resources.
	mostPerFunction, mostPerStack, plannedFunctions = 6, 450, 65
)

// Functions checks that every function has a role of its own and a timeout below the gateway's.
func Functions(s Stack) []string {
	var f faults
	for _, id := range s.of(typeFunction) {
		props := s.Resources[id].Properties
		want := strings.TrimSuffix(id, "Function") + "Role"
		if role := attribute(props["Role"], "Arn"); role != want || !s.is(role, typeRole) {
			f.add("%s: its role is %q, want a role of its own, %s", id, role, want)
		}
		if timeout, ok := s.number(props["Timeout"]); !ok || timeout >= gatewayTimeout {
			f.add("%s: its timeout is %v s, want less than the gateway's %d", id, props["Timeout"], gatewayTimeout)
		}
	}
	return f
}

// LogGroups checks that every log group has a retention, and that a function's log group is one that
// every function may write to and whose reports of failure raise an alarm.
func LogGroups(s Stack) []string {
	var f faults
	for _, id := range s.of(typeLogGroup) {
		if days, ok := s.number(s.Resources[id].Properties["RetentionInDays"]); !ok || days < 1 {
			f.add("%s: it keeps logs for ever", id)
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
			f.add("%s: its log group is %q, want one of this stack", id, group)
		case !slices.Contains(writable, group):
			f.add("%s: %s does not let it write to %s", id, basics, group)
		case !s.alarmed(group):
			f.add("%s: no alarm counts the failed invocations in %s", id, group)
		}
		// Only JSON has the reports that the metric filters read, and only from INFO on.
		if text(props, "LoggingConfig", "LogFormat") != "JSON" || text(props, "LoggingConfig", "SystemLogLevel") != "INFO" {
			f.add("%s: it logs as %v, want JSON and the system's level INFO", id, props["LoggingConfig"])
		}
	}
	return f
}

// alarmed reports whether failed invocations in a log group become a metric that an alarm watches.
func (s Stack) alarmed(group string) bool {
	return slices.ContainsFunc(s.of(typeMetricFilter), func(id string) bool {
		props := s.Resources[id].Properties
		return ref(props["LogGroupName"]) == group && text(props, "FilterPattern") == failedInvocation &&
			slices.ContainsFunc(s.of(typeAlarm), func(alarm string) bool { return s.counts(id, s.Resources[alarm].Properties) })
	})
}

// Aliases checks that every function but the authorizer has one alias, on a version of its own whose
// description changes with every parameter, and that the authorizer has none.
//
// CloudFormation publishes a version only when a property of the version changes: without the
// description the alias would keep the old parameters for ever.
func Aliases(s Stack) []string {
	var f faults
	for _, id := range s.of(typeFunction) {
		aliases := s.aliases(id)
		if id == Authorizer {
			if len(aliases) > 0 {
				f.add("%s: it has the alias %s, with which sam local leaves its routes open", id, aliases[0])
			}
			continue
		}
		if len(aliases) != 1 {
			f.add("%s: it has %d aliases, want 1", id, len(aliases))
			continue
		}
		version := attribute(s.Resources[aliases[0]].Properties["FunctionVersion"], "Version")
		props := s.Resources[version].Properties
		if !s.is(version, typeVersion) || ref(props["FunctionName"]) != id {
			f.add("%s: its alias names the version %q, want one of this function", id, version)
		} else if ref(props["Description"]) != configVersion {
			f.add("%s: its VersionDescription is %v, want !Ref %s", id, props["Description"], configVersion)
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
			f.add("%s: no deployment group shifts it", id)
			continue
		}
		props := s.Resources[group].Properties
		alarms := list(at(props, "AlarmConfiguration", "Alarms"))
		if !s.truth(at(props, "AlarmConfiguration", "Enabled")) || len(alarms) == 0 {
			f.add("%s: no alarm stops it", group)
		}
		for _, alarm := range alarms {
			if name := ref(at(alarm, "Name")); !s.is(name, typeAlarm) {
				f.add("%s: its alarm %q is none of this stack", group, name)
			}
		}
		events := list(at(props, "AutoRollbackConfiguration", "Events"))
		if !s.truth(at(props, "AutoRollbackConfiguration", "Enabled")) || !slices.Contains(events, any("DEPLOYMENT_STOP_ON_ALARM")) {
			f.add("%s: it does not roll back when an alarm stops it", group)
		}
	}
	return f
}

// Concurrency checks that the listed functions can be kept from taking all of the account's
// concurrency: hashing a password costs half a second of CPU, so a flood of sign-ins would starve
// every other function. The reservation is a parameter that is unset by default, because an account
// with a low limit has nothing to reserve.
func Concurrency(s Stack, hashing []string) []string {
	var f faults
	for _, id := range hashing {
		if !s.is(id, typeFunction) {
			f.add("%s: there is no such function", id)
			continue
		}
		branches := list(at(s.Resources[id].Properties, "ReservedConcurrentExecutions", "Fn::If"))
		if len(branches) != 3 || ref(branches[2]) != "AWS::NoValue" {
			f.add("%s: its reserved concurrency is no parameter that may be left unset", id)
			continue
		}
		condition, _ := branches[0].(string)
		parameter := ref(branches[1])
		value, ok := s.Parameters[parameter]
		switch {
		case !ok || !slices.Contains(names(s.Conditions[condition]), parameter):
			f.add("%s: its reserved concurrency does not depend on a parameter of its own", id)
		case value.Default != "":
			f.add("%s: %s is %v by default, want it unset", id, parameter, value.Default)
		}
	}
	return f
}

// Size checks how many resources one function becomes, and that the stack has room for as many
// functions as are planned.
func Size(s Stack) []string {
	var f faults
	owned := map[string]int{}
	for id := range s.Resources {
		// The longest operation that the name begins with: GetProductFunction does not own what
		// belongs to GetProductsFunction.
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
			f.add("%s: it becomes %d resources, want at most %d", id, owned[id], mostPerFunction)
		}
	}
	if n := owned[""] + mostPerFunction*plannedFunctions; n > mostPerStack {
		f.add("the stack will have %d resources with %d functions, want at most %d", n, plannedFunctions, mostPerStack)
	}
	return f
}
