package runtime

import (
	"encoding/json"
	"errors"
	"net/http"
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

// extension is an internal extension: it runs in the bootstrap's process.
type extension struct {
	id, name string
	// invoke is whether it registered for INVOKE.
	invoke bool
	// ready is whether it waits for its next event.
	ready bool
	// events has room for one event.
	events chan extensionEvent
}

// extensionEvent is the answer of event/next.
type extensionEvent struct {
	Type        string         `json:"eventType"`
	DeadlineMS  int64          `json:"deadlineMs"`
	RequestID   string         `json:"requestId"`
	FunctionARN string         `json:"invokedFunctionArn"`
	Tracing     extensionTrace `json:"tracing"`
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
		Tracing:     extensionTrace{Type: "X-Amzn-Trace-Id", Value: inv.trace},
	}
}

// register is POST extension/register. Lambda refuses an internal extension that registers for SHUTDOWN,
// so this does too.
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
	x := &extension{id: newUUID(), name: name, events: make(chan extensionEvent, 1)}
	for _, event := range body.Events {
		switch event {
		case "INVOKE":
			x.invoke = true
		case "SHUTDOWN":
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
		answer["accountId"] = accountID
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
	for _, other := range e.extensions {
		if other.name == x.name {
			return http.StatusForbidden, "Extension.AlreadyRegistered", "an extension of this name has registered already"
		}
	}
	e.extensions[x.id] = x
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
