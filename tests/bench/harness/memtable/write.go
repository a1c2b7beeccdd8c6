package memtable

import "errors"

// change is a write whose condition holds.
type change struct {
	table         *table
	before, after Item // after is nil for a delete
}

// prepare checks the condition of one write. failed is whether it does not hold.
func (s *Store) prepare(operation string, in *input) (c change, failed bool, err error) {
	c.table = s.table(in.TableName)
	key := in.Key
	if operation == "PutItem" {
		key = in.Item
	}
	c.before = c.table.items[keyOf(key)]
	if in.ConditionExpression != "" {
		holds, err := newParser(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, c.before).condition()
		if err != nil || !holds {
			return c, !holds, err
		}
	}
	switch operation {
	case "PutItem":
		c.after = in.Item
	case "UpdateItem":
		c.after, err = newParser(in.UpdateExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, c.before).update()
		for name, value := range in.Key {
			if err == nil {
				c.after[name] = value
			}
		}
	case "ConditionCheck":
		c.after = c.before
	}
	return c, false, err
}

func (c change) apply() {
	switch {
	case c.after != nil:
		c.table.put(c.after)
	case c.before != nil:
		c.table.remove(c.before)
	}
}

// write is one PutItem, UpdateItem or DeleteItem.
func (s *Store) write(operation string, in *input) (any, error) {
	c, failed, err := s.prepare(operation, in)
	if err != nil {
		return nil, err
	}
	if failed {
		refused := &Error{Type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", Message: "The conditional request failed"}
		if in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
			refused.Item = c.before
		}
		return nil, refused
	}
	c.apply()
	attributes := Item(nil)
	switch in.ReturnValues {
	case "ALL_OLD":
		attributes = c.before
	case "ALL_NEW":
		attributes = c.after
	case "UPDATED_NEW":
		attributes = Item{}
		for name, value := range c.after {
			if !value.equal(c.before[name]) && in.Key[name] == nil {
				attributes[name] = value
			}
		}
	}
	if attributes == nil {
		return struct{}{}, nil
	}
	return map[string]Item{"Attributes": attributes}, nil
}

// transact makes all writes or none.
func (s *Store) transact(in *input) error {
	reasons := make([]Reason, len(in.TransactItems))
	changes := make([]change, 0, len(in.TransactItems))
	cancelled := false
	for i, one := range in.TransactItems {
		operation, write := "PutItem", one.Put
		switch {
		case one.Update != nil:
			operation, write = "UpdateItem", one.Update
		case one.Delete != nil:
			operation, write = "DeleteItem", one.Delete
		case one.ConditionCheck != nil:
			operation, write = "ConditionCheck", one.ConditionCheck
		}
		if write == nil {
			return errors.New("a write of the transaction is empty")
		}
		c, failed, err := s.prepare(operation, write)
		if err != nil {
			return err
		}
		reasons[i].Code = "None"
		if failed {
			cancelled, reasons[i].Code = true, "ConditionalCheckFailed"
			if write.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
				reasons[i].Item = c.before
			}
		}
		changes = append(changes, c)
	}
	if cancelled {
		return &Error{
			Type:    "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			Message: "Transaction cancelled, please refer cancellation reasons for specific reasons", CancellationReasons: reasons,
		}
	}
	for _, c := range changes {
		c.apply()
	}
	return nil
}
