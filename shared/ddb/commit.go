package ddb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/awsclient"
)

// ErrDone is for Write.IfElse: the condition failed because this very call had written before, and its
// answer was lost. Commit returns nil for it.
var ErrDone = errors.New("ddb: already done")

// MaxWrites is the most writes that one transaction takes. All their items together may have 4 MB.
const MaxWrites = 100

// Commit does all writes or none of them.
//
// When conditions fail it returns the error of the first write, in the order of the arguments, whose
// condition failed, and nil when that error is ErrDone. A conflict with another transaction, throttling and a lost response are tried
// again, with growing random pauses, while the context's time allows; after that Commit returns
// ErrUnavailable, and the outcome is unknown when responses were lost. All attempts carry one token,
// so that DynamoDB applies them once.
//
// Writes that DynamoDB would refuse (none, more than MaxWrites, two on one item, a broken one) are
// refused before anything is sent.
func Commit(ctx context.Context, client *Client, writes ...Write) error {
	actions, err := actions(writes)
	if err != nil {
		return err
	}
	ctx, cancel := withBudget(ctx)
	defer cancel()

	input := &dynamodb.TransactWriteItemsInput{
		TransactItems: actions,
		// At most 36 characters; rand.Text has 26.
		ClientRequestToken: aws.String(rand.Text()),
	}
	for retries := 0; ; retries++ {
		_, err := client.SDK().TransactWriteItems(ctx, input)
		if err == nil {
			return nil
		}
		if failed := conditionError(err, writes); errors.Is(failed, ErrDone) {
			return nil
		} else if failed != nil {
			return failed
		}
		if !isTransient(err) || !awsclient.Pause(ctx, retries) {
			return newFault(ctx, "TransactWriteItems", err)
		}
	}
}

// actions builds the transaction, or says what is wrong with it. It names writes by their place and
// not by their key, which may be somebody's.
func actions(writes []Write) ([]types.TransactWriteItem, error) {
	if len(writes) == 0 {
		return nil, errors.New("ddb: Commit of no writes")
	}
	if len(writes) > MaxWrites {
		return nil, fmt.Errorf("ddb: Commit of %d writes; a transaction takes %d", len(writes), MaxWrites)
	}
	type place struct {
		table string
		key   Key
	}
	first := make(map[place]int, len(writes))
	built := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		action, err := w.action()
		if err != nil {
			return nil, fmt.Errorf("ddb: write %d of %d: %w", i+1, len(writes), err)
		}
		at := place{w.table.name, w.key}
		if earlier, ok := first[at]; ok {
			return nil, fmt.Errorf("ddb: writes %d and %d are on the same item of table %s; a transaction takes one per item: join them",
				earlier+1, i+1, w.table.name)
		}
		first[at], built[i] = i, action
	}
	return built, nil
}

// conditionError returns the error of the first write whose condition failed, and nil when err is
// another failure.
func conditionError(err error, writes []Write) error {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return nil
	}
	for i, reason := range canceled.CancellationReasons {
		if i >= len(writes) || reasonCode(reason) != reasonConditionFailed {
			continue
		}
		if failed := writes[i].conditionError(reason.Item); failed != nil {
			return failed
		}
		return fmt.Errorf("ddb: write %d of %d: its condition failed and it made no error of it", i+1, len(writes))
	}
	return nil
}
