//go:build sam

package sam_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/tienda-dev/tienda/local/sam"
	"github.com/tienda-dev/tienda/tests/sam/differences"
)

// TestInvoke invokes every function with its sample event, as `make invoke-all` does.
//
//nolint:paralleltest // it keeps two CPUs busy by itself
func TestInvoke(t *testing.T) {
	invoked := 0
	err := shared.cli.InvokeAll(t.Context(), shared.data, func(o sam.Outcome) {
		invoked++
		t.Run(o.Function.Name, func(t *testing.T) {
			if o.Err != nil {
				t.Error(o.Err)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := len(shared.cli.Template().Functions); invoked != want {
		t.Errorf("%d functions were invoked, there are %d", invoked, want)
	}
}

// aboutUnknownFunction is its subject in differences.yaml.
const aboutUnknownFunction = "Invoke of an unknown function"

// TestStartLambda invokes functions at `sam local start-lambda` with the AWS SDK.
func TestStartLambda(t *testing.T) {
	t.Parallel()
	environment, err := tables(t.Context(), "-start-lambda")
	if err != nil {
		t.Fatal(err)
	}
	server, err := shared.cli.StartLambda(t.Context(), sam.ServeOptions{Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	client := lambda.New(lambda.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})

	for _, operation := range []string{"authorizer", "get-product", "create-product", "not-found"} {
		t.Run(operation, func(t *testing.T) {
			f, err := shared.cli.Function(operation)
			if err != nil {
				t.Fatal(err)
			}
			expected, err := sam.ReadExpectation(root, operation)
			if err != nil {
				t.Fatal(err)
			}
			event, err := os.ReadFile(filepath.Join(root, "events", operation+".json"))
			if err != nil {
				t.Fatal(err)
			}
			out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(f.LogicalID), Payload: event})
			if err != nil {
				t.Fatal(err)
			}
			if out.StatusCode != 200 || out.FunctionError != nil {
				t.Errorf("got %d with the function error %q", out.StatusCode, aws.ToString(out.FunctionError))
			}
			if err := expected.Check(out.Payload); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("UnknownFunction", func(t *testing.T) {
		_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("NopeFunction"), Payload: []byte("{}")})
		var refusal smithy.APIError
		if !errors.As(err, &refusal) {
			t.Fatalf("got %v, want an error of the API", err)
		}
		known, err := differences.Read("differences.yaml")
		if err != nil {
			t.Fatal(err)
		}
		aws := map[string]string{"error code": new(types.ResourceNotFoundException).ErrorCode()}
		if err := known.Compare(aboutUnknownFunction, aws, map[string]string{"error code": refusal.ErrorCode()}); err != nil {
			t.Error(err)
		}
	})
}
