package runtime

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"time"
)

// The headers of the Extensions API.
const (
	headerExtensionName      = "Lambda-Extension-Name"
	headerExtensionID        = "Lambda-Extension-Identifier"
	headerExtensionErrorType = "Lambda-Extension-Function-Error-Type"
	headerExtensionFeature   = "Lambda-Extension-Accept-Feature"
)

// maxExtensions is how many extensions may register.
const maxExtensions = 10

// extension is one that has registered.
type extension struct {
	id, name         string
	invoke, shutdown bool
	// ready is true while it waits for an event that it wants, or wants none.
	ready bool
	// events has room for an INVOKE and a SHUTDOWN.
	events chan extensionEvent
}

// extensionEvent is what event/next answers.
type extensionEvent struct {
	Type        string          `json:"eventType"`
	DeadlineMS  int64           `json:"deadlineMs"`
	RequestID   string          `json:"requestId,omitempty"`
	FunctionARN string          `json:"invokedFunctionArn,omitempty"`
	Tracing     *extensionTrace `json:"tracing,omitempty"`
	Reason      string          `json:"shutdownReason,omitempty"`
}

// extensionTrace is the trace header of an INVOKE event.
type extensionTrace struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// invokeEvent returns the INVOKE event of inv.
func invokeEvent(e *environment, inv *invocation) extensionEvent {
	return extensionEvent{
		Type:        "INVOKE",
		DeadlineMS:  inv.deadline.UnixMilli(),
		RequestID:   inv.id,
		FunctionARN: e.functionARN(),
		Tracing:     &extensionTrace{Type: "X-Amzn-Trace-Id", Value: inv.trace},
	}
}

// register is POST extension/register. An internal extension, one that runs in the bootstrap's
// process, may not ask for SHUTDOWN: Lambda refuses that, so code that relies on it must fail here
// too.
func (e *environment) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(headerExtensionName)
	var body struct {
		Events []string `json:"events"`
	}
	if r.ContentLength != 0 {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			apiError(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
			return
		}
	}
	x := &extension{id: newUUID(), name: name, events: make(chan extensionEvent, 2)}
	internal := !slices.ContainsFunc(e.fn.Extensions, func(path string) bool { return filepath.Base(path) == name })
	for _, event := range body.Events {
		switch {
		case event == "INVOKE":
			x.invoke = true
		case event == "SHUTDOWN" && !internal:
			x.shutdown = true
		case event == "SHUTDOWN":
			apiError(w, http.StatusForbidden, "Extension.InvalidEventType",
				"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension")
			return
		default:
			apiError(w, http.StatusForbidden, "Extension.InvalidEventType", event+": ErrorInvalidEventType")
			return
		}
	}

	if status, errorType, message := e.admitExtension(x); status != 0 {
		apiError(w, status, errorType, message)
		return
	}
	w.Header().Set(headerExtensionID, x.id)
	answer := map[string]string{"functionName": e.fn.Name, "functionVersion": "$LATEST", "handler": "bootstrap"}
	if r.Header.Get(headerExtensionFeature) == "accountId" {
		answer["accountId"] = e.r.account
	}
	writeJSON(w, http.StatusOK, answer)
}

// admitExtension adds x, or returns the answer that refuses it.
func (e *environment) admitExtension(x *extension) (status int, errorType, message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case x.name == "":
		return http.StatusBadRequest, "Extension.MissingHeader", "the header " + headerExtensionName + " is missing"
	case e.initialised:
		return http.StatusForbidden, "Extension.RegistrationClosed", "extensions register during INIT"
	case len(e.extensions) >= maxExtensions:
		return http.StatusForbidden, "Extension.TooManyExtensions", "ten extensions have registered already"
	}
	missing := len(e.fn.Extensions)
	for _, other := range e.extensions {
		if other.name == x.name {
			return http.StatusForbidden, "Extension.AlreadyRegistered", "an extension of this name has registered already"
		}
	}
	e.extensions[x.id] = x
	for _, path := range e.fn.Extensions {
		for _, other := range e.extensions {
			if other.name == filepath.Base(path) {
				missing--
			}
		}
	}
	if missing == 0 {
		select {
		case <-e.registered:
		default:
			close(e.registered)
		}
	}
	return 0, "", ""
}

// known returns the extension that sent r, or answers 403.
func (e *environment) known(w http.ResponseWriter, r *http.Request) *extension {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, ok := e.extensions[r.Header.Get(headerExtensionID)]
	if !ok {
		apiError(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "no extension has this identifier")
		return nil
	}
	return x
}

// extensionNext is GET extension/event/next: the extension is ready, and gets its next event.
func (e *environment) extensionNext(w http.ResponseWriter, r *http.Request) {
	x := e.known(w, r)
	if x == nil {
		return
	}
	e.mu.Lock()
	x.ready = true
	e.checkSettled()
	e.mu.Unlock()

	select {
	case event := <-x.events:
		w.Header().Set(headerExtensionID, x.id)
		writeJSON(w, http.StatusOK, event)
	case <-r.Context().Done():
	}
}

// extensionError is POST extension/init/error and exit/error: the environment cannot go on.
func (e *environment) extensionError(w http.ResponseWriter, r *http.Request) {
	x := e.known(w, r)
	if x == nil {
		return
	}
	errorType := r.Header.Get(headerExtensionErrorType)
	if errorType == "" {
		apiError(w, http.StatusBadRequest, "Extension.MissingHeader", "the header "+headerExtensionErrorType+" is missing")
		return
	}
	apiAccepted(w)
	e.fail(errors.New("extension " + x.name + " reported " + errorType))
}

// shutdownExtensions sends SHUTDOWN to every extension that wants it.
func (e *environment) shutdownExtensions(reason string, limit time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.extensions {
		if !x.shutdown {
			continue
		}
		select {
		case x.events <- extensionEvent{Type: "SHUTDOWN", DeadlineMS: limit.UnixMilli(), Reason: reason}:
		default: // it has not even taken its INVOKE
		}
	}
}
