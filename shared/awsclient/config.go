// Package awsclient holds what the AWS clients of this library share: the credentials from Lambda's
// environment, one HTTP client, and the pause before a retry. It does
// not import the AWS SDK.
package awsclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Config is the region and the credentials of a caller. Lambda sets every variable.
type Config struct {
	// Region is the AWS region ("eu-central-1").
	Region string `env:"AWS_REGION,required"`
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials of the function's role.
	// Lambda keeps them valid for the life of the environment.
	AccessKeyID     string `env:"AWS_ACCESS_KEY_ID,required"`
	SecretAccessKey string `env:"AWS_SECRET_ACCESS_KEY,required"`
	SessionToken    string `env:"AWS_SESSION_TOKEN"`
	// HTTP sends the requests. Clients that share it share its connections. Nil is a client of its own,
	// made by NewHTTP.
	HTTP *http.Client
}

// WithHTTP returns the configuration with its HTTP client, and an error that names every variable that is
// empty.
func (c Config) WithHTTP() (Config, error) {
	var wrong []error
	for _, v := range []struct{ name, value string }{
		{"AWS_REGION", c.Region},
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
	} {
		if v.value == "" {
			wrong = append(wrong, fmt.Errorf("%s is empty", v.name))
		}
	}
	if len(wrong) > 0 {
		return c, errors.Join(wrong...)
	}
	if c.HTTP == nil {
		c.HTTP = NewHTTP()
	}
	return c, nil
}

// CheckEndpoint refuses an endpoint that is not empty (AWS) and not an absolute http or https URL without
// user, query and fragment. Its error does not repeat the value, which may hold a password; it begins with a
// verb, to follow the name of the variable.
func CheckEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	if strings.Contains(endpoint, "{{resolve:") {
		return errors.New("is a CloudFormation reference that nothing has resolved")
	}
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("must be an absolute http or https URL, or empty for AWS")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be a URL without user, query and fragment")
	}
	return nil
}
