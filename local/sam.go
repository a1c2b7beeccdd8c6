package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/local/sam"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// runSAM runs the commands that use the SAM CLI:
//
//	local sam api                                serve the API by sam local start-api on PORT, with sample products
//	local sam build                              build what a running sam local serves; it picks up the change
//	local sam env                                prepare and hold what a sam local command typed by hand needs
//	local sam invoke GetProductFunction [event]  invoke one function in a container and print its answer
//	local sam invoke-all                         invoke each with its sample event and compare the answers
//	local sam image                              make the image that needs no container registry
func runSAM(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	run, ok := map[string]func(context.Context, *sam.CLI, samOptions) error{
		"api": samAPI, "build": samBuild, "env": samEnv, "invoke": samInvoke, "invoke-all": samInvokeAll, "image": samImage,
	}[command]
	if !ok {
		return fmt.Errorf("unknown command sam %q (want api, build, env, invoke, invoke-all or image)", command)
	}

	flags := flag.NewFlagSet("local sam "+command, flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	executable := flags.String("sam", ".cache/venv/bin/sam", "the SAM CLI")
	image := flags.String("image", getenv("IMAGE"), "public, stand-in, or empty for the stand-in if it exists")
	endpoint := flags.String("dynamodb", getenv("DYNAMODB_ENDPOINT"), "the URL of a DynamoDB that runs already")
	if err := flags.Parse(args); err != nil {
		return err
	}
	port, err := portOf(getenv)
	if err != nil {
		return err
	}
	off, err := choice(getenv, "LIMITS", "off")
	if err != nil {
		return err
	}
	cfg := sam.Config{
		Root: *root, Command: *executable, Image: sam.Image(*image),
		LogLevel: strings.ToUpper(getenv("LOG_LEVEL")), Out: out,
	}
	cli, err := sam.Open(cfg)
	if err != nil {
		return err
	}
	err = run(ctx, cli, samOptions{args: flags.Args(), root: *root, port: port, off: off, endpoint: *endpoint, out: out})
	if command == "api" || command == "env" {
		return untilStopped(ctx, err)
	}
	return err
}

// samOptions are the arguments of a command.
type samOptions struct {
	args     []string
	root     string
	port     int
	off      bool // LIMITS=off
	endpoint string
	out      io.Writer
}

func (o samOptions) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.out, format, args...) // a closed terminal is no reason to stop
}

func samImage(ctx context.Context, cli *sam.CLI, o samOptions) error {
	if err := cli.CheckDocker(ctx); err != nil {
		return err
	}
	made, err := cli.MakeImage(ctx)
	if err != nil {
		return err
	}
	state := "is up to date"
	if made {
		state = "is made"
	}
	o.printf("the image %s %s; samconfig.toml's environments local-x86_64 and local-arm64 use it\n", cli.StandIn(), state)
	return nil
}

func samBuild(ctx context.Context, cli *sam.CLI, o samOptions) error {
	if err := cli.Build(ctx); err != nil {
		return err
	}
	o.printf("the functions are built; a running sam local uses them from the next request on\n")
	return nil
}

// prepare checks Docker, builds the functions and starts a DynamoDB without tables.
func prepare(ctx context.Context, cli *sam.CLI, o samOptions) (*sam.Data, error) {
	if err := cli.CheckDocker(ctx); err != nil {
		return nil, err
	}
	if err := cli.Build(ctx); err != nil {
		return nil, err
	}
	return cli.StartData(ctx, o.endpoint)
}

// shop is prepare with the template's tables and sample products.
func shop(ctx context.Context, cli *sam.CLI, o samOptions) (*sam.Data, error) {
	d, err := prepare(ctx, cli, o)
	if err != nil {
		return nil, err
	}
	loaded, err := d.LoadSamples(ctx)
	if err == nil {
		err = d.CreateTables(ctx, "")
	}
	if err != nil {
		d.Stop()
		return nil, err
	}
	o.printf("%d sample products are in the DynamoDB at %s\n", loaded.Created+loaded.Existing+1, d.Endpoint)
	return d, nil
}

func samAPI(ctx context.Context, cli *sam.CLI, o samOptions) error {
	d, err := shop(ctx, cli, o)
	if err != nil {
		return err
	}
	defer d.Stop()
	environment, err := d.Environment("")
	if err != nil {
		return err
	}
	if o.off {
		environment["RATE_LIMITS_OFF"] = ratelimit.All
	}
	server, err := cli.StartAPI(ctx, sam.ServeOptions{Port: o.port, Environment: environment})
	if err != nil {
		return err
	}
	defer server.Stop()
	d.NotifyStripe(server.URL)
	var ended <-chan struct{}
	if cli.Template().Asynchronous() {
		events, err := cli.StartEvents(ctx, d, environment)
		if err != nil {
			return err
		}
		defer events.Stop()
		ended = events.Ended()
	}
	withdraw, err := announce(o.root, portIn(server.URL), serving{dynamoDB: d.Endpoint, queues: d.SQS})
	if err != nil {
		return err
	}
	defer withdraw()
	o.printf("\nTienda answers on %s through SAM's containers; each starts at its first request.\n\n"+
		"  curl %s/v1/products\n  make token ROLE=catalog\n\nCtrl-C stops it.\n\n", server.URL, server.URL)
	select {
	case <-ctx.Done():
		return nil
	case <-server.Ended():
		return errors.New("sam local start-api ended by itself")
	case <-ended:
		return errors.New("sam local start-lambda ended by itself")
	}
}

func samEnv(ctx context.Context, cli *sam.CLI, o samOptions) error {
	d, err := shop(ctx, cli, o)
	if err != nil {
		return err
	}
	defer d.Stop()
	if _, err := cli.MakeImage(ctx); err != nil {
		return err
	}
	if err := cli.WriteEnvironment(d); err != nil {
		return err
	}
	withdraw, err := announce(o.root, strconv.Itoa(o.port), serving{dynamoDB: d.Endpoint, queues: d.SQS})
	if err != nil {
		return err
	}
	defer withdraw()
	o.printf("\nReady for SAM's own commands, in another terminal:\n\n"+
		"  sam local start-api --config-env %s\n"+
		"  sam local invoke GetProductFunction -e events/get-product.json --config-env %s\n\n"+
		"SAM watches .cache/sam: make sam-build brings a change of the code there.\nCtrl-C stops the DynamoDB.\n\n", cli.ConfigEnv(), cli.ConfigEnv())
	<-ctx.Done()
	return nil
}

func samInvoke(ctx context.Context, cli *sam.CLI, o samOptions) error {
	name, event := "", ""
	switch len(o.args) {
	case 2:
		name, event = o.args[0], o.args[1]
	case 1:
		name = o.args[0]
	}
	f, err := cli.Function(name)
	if err != nil {
		return err
	}
	invocation := sam.Invocation{Function: f, Event: event}
	if err := cli.CheckEvent(invocation); err != nil {
		return err
	}
	d, err := prepare(ctx, cli, o)
	if err != nil {
		return err
	}
	defer d.Stop()
	if err := d.CreateTables(ctx, ""); err != nil {
		return err
	}
	if invocation.Environment, err = d.Environment(""); err != nil {
		return err
	}
	answer, err := cli.Invoke(ctx, invocation)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, answer, "", "  ") != nil {
		pretty.Reset()
		pretty.Write(answer) // the answer need not be JSON
	}
	o.printf("\n%s\n", pretty.String())
	return nil
}

func samInvokeAll(ctx context.Context, cli *sam.CLI, o samOptions) error {
	d, err := prepare(ctx, cli, o)
	if err != nil {
		return err
	}
	defer d.Stop()

	failed, all := 0, 0
	err = cli.InvokeAll(ctx, d, func(outcome sam.Outcome) {
		all++
		answer := "answers as expected"
		if outcome.Expected.Status != 0 {
			answer = "answers " + strconv.Itoa(outcome.Expected.Status) + " as expected"
		}
		if outcome.Err != nil {
			failed++
			answer = "FAILS:\n" + outcome.Err.Error()
		}
		o.printf("%-28s %4.1f s  %s\n", outcome.Function.LogicalID, outcome.Took.Seconds(), answer)
	})
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d functions do not answer their sample event as in events/expected/", failed, all)
	}
	o.printf("%d functions answer their sample events as expected\n", all)
	return nil
}
