package logging

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The values of Config.Format.
const (
	// FormatJSON is one JSON object per line.
	FormatJSON = "json"
	// FormatConsole is time, level and message followed by the fields as JSON, for a terminal.
	FormatConsole = "console"
)

// TraceLevel is below zap's lowest level; AWS_LAMBDA_LOG_LEVEL=TRACE enables it.
const TraceLevel = zapcore.DebugLevel - 1

// serviceUndefined is what Powertools writes for a service without a name.
const serviceUndefined = "service_undefined"

// Config describes a process's logger. Its zero value logs JSON at INFO with redaction on.
//
// AWS_LAMBDA_LOG_FORMAT is not read: its values JSON and Text are about Lambda's own lines, and
// ours are JSON under both unless LOG_FORMAT says otherwise.
type Config struct {
	// Service is the name of the service. Default: the function's name.
	Service string `env:"OTEL_SERVICE_NAME"`
	// Level is the lowest level written: TRACE, DEBUG, INFO, WARN, ERROR or FATAL, in any case.
	// Default INFO.
	Level string `env:"LOG_LEVEL"`
	// LambdaLevel is the level of Lambda's advanced logging controls: Lambda discards lines below it. It wins over
	// Level. With SampleRate or Buffer it only raises Level.
	LambdaLevel string `env:"AWS_LAMBDA_LOG_LEVEL"`
	// Format is FormatJSON (default) or FormatConsole.
	Format string `env:"LOG_FORMAT"`
	// SampleRate is the share of invocations, 0 to 1, that write lines from DEBUG whatever the level is: all of
	// an invocation's lines or none. Default 0.
	SampleRate float64 `env:"LOG_SAMPLE_RATE"`
	// Buffer is how many bytes of lines from DEBUG that are below the level an invocation keeps, to write them if
	// it fails. 0, the default, keeps none; at most 1 MiB.
	Buffer int `env:"LOG_BUFFER"`
	// FunctionName, when set, is on every line.
	FunctionName string `env:"AWS_LAMBDA_FUNCTION_NAME"`
	// FunctionVersion, when set, is on every line.
	FunctionVersion string `env:"AWS_LAMBDA_FUNCTION_VERSION"`
	// FunctionMemorySize in MB, when not 0, is on every line.
	FunctionMemorySize int `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"`

	// RedactKeys are further field names with values to hide, in addition to the built-in ones.
	// Case, "-" and "_" do not matter.
	RedactKeys []string
	// DisableRedaction writes secrets as they are.
	DisableRedaction bool
}

// New returns a logger that writes to w, one Write per line. It fails on a level or format that
// does not exist and names the variable.
//
// Lines are not sampled one by one: Begin decides for an invocation. The caller is looked up on ERROR and above only, so that other lines cost no
// stack walk. A name that is written twice appears once: level, message, timestamp, logger, location and
// stack_trace keep the line's own value, and of other names the last value is written, so that a call's field
// wins over its logger's. Secrets are hidden before a core sees them; Tee adds another core beneath that.
func New(cfg Config, w io.Writer) (*zap.Logger, error) {
	if w == nil {
		return nil, errors.New("logging: no writer")
	}
	level, d, err := cfg.levels()
	if err != nil {
		return nil, err
	}

	var enc zapcore.Encoder
	switch strings.ToLower(cfg.Format) {
	case "", FormatJSON:
		enc = newUniqueEncoder(zapcore.NewJSONEncoder(jsonConfig()))
	case FormatConsole:
		enc = newConsoleEncoder()
	default:
		return nil, fmt.Errorf("logging: LOG_FORMAT is %q: want %s or %s", cfg.Format, FormatJSON, FormatConsole)
	}
	var redact *redactor
	if !cfg.DisableRedaction {
		redact = newRedactor(cfg.RedactKeys)
	}
	out := zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), level)
	log := zap.New(newCore(out, redact, d).With(cfg.fields()))
	if d != nil && level > zapcore.DebugLevel {
		log.Warn("LOG_SAMPLE_RATE and LOG_BUFFER have no effect: Lambda discards lines below AWS_LAMBDA_LOG_LEVEL",
			zap.String("lambda_level", levelName(level)))
	}
	return log, nil
}

// fields returns the fields of the process, which every line has.
func (c Config) fields() []zap.Field {
	service := c.Service
	if service == "" {
		service = c.FunctionName
	}
	if service == "" {
		service = serviceUndefined
	}

	fields := []zap.Field{zap.String(KeyService, service)}
	if c.FunctionName != "" {
		fields = append(fields, zap.String(KeyFunctionName, c.FunctionName))
	}
	if c.FunctionVersion != "" {
		fields = append(fields, zap.String(KeyFunctionVersion, c.FunctionVersion))
	}
	if c.FunctionMemorySize != 0 {
		fields = append(fields, zap.Int(KeyFunctionMemorySize, c.FunctionMemorySize))
	}
	return fields
}

// maxBuffer is the largest Config.Buffer: environments have little memory, and requests may run in parallel.
const maxBuffer = 1 << 20

// levels returns the lowest level that may be written, and what decides about lines that are below the configured
// level; nil if nothing of them is ever written.
func (c Config) levels() (zapcore.Level, *detail, error) {
	own, ownErr := parseLevel("LOG_LEVEL", c.Level)
	lambda, lambdaErr := own, error(nil)
	if c.LambdaLevel != "" {
		lambda, lambdaErr = parseLevel("AWS_LAMBDA_LOG_LEVEL", c.LambdaLevel)
	}
	if lambdaErr != nil {
		return 0, nil, lambdaErr
	}
	if !(c.SampleRate >= 0 && c.SampleRate <= 1) { // NaN too
		return 0, nil, fmt.Errorf("logging: LOG_SAMPLE_RATE is %v: want a number from 0 to 1", c.SampleRate)
	}
	if c.Buffer < 0 || c.Buffer > maxBuffer {
		return 0, nil, fmt.Errorf("logging: LOG_BUFFER is %d: want bytes from 0 to %d", c.Buffer, maxBuffer)
	}
	if c.SampleRate == 0 && c.Buffer == 0 {
		if c.LambdaLevel != "" {
			return lambda, nil, nil
		}
		return own, nil, ownErr
	}
	if ownErr != nil {
		return 0, nil, ownErr
	}
	lowest := min(own, zapcore.DebugLevel)
	if c.LambdaLevel != "" {
		own, lowest = max(own, lambda), max(lowest, lambda)
	}
	return lowest, newDetail(own, c.SampleRate, c.Buffer), nil
}

func parseLevel(variable, value string) (zapcore.Level, error) {
	switch strings.ToUpper(value) {
	case "TRACE":
		return TraceLevel, nil
	case "DEBUG":
		return zapcore.DebugLevel, nil
	case "", "INFO":
		return zapcore.InfoLevel, nil
	case "WARN":
		return zapcore.WarnLevel, nil
	case "ERROR":
		return zapcore.ErrorLevel, nil
	case "FATAL":
		return zapcore.FatalLevel, nil
	default:
		return 0, fmt.Errorf("logging: %s is %q: want TRACE, DEBUG, INFO, WARN, ERROR or FATAL", variable, value)
	}
}

// levelName is the inverse of parseLevel. zap's levels between ERROR and FATAL get the name
// that Lambda's log filter knows.
func levelName(l zapcore.Level) string {
	switch {
	case l < zapcore.DebugLevel:
		return "TRACE"
	case l == zapcore.DebugLevel:
		return "DEBUG"
	case l == zapcore.InfoLevel:
		return "INFO"
	case l == zapcore.WarnLevel:
		return "WARN"
	case l < zapcore.PanicLevel:
		return "ERROR"
	default:
		return "FATAL"
	}
}

func jsonConfig() zapcore.EncoderConfig {
	cfg := consoleConfig()
	cfg.LevelKey = KeyLevel
	cfg.MessageKey = KeyMessage
	cfg.TimeKey = KeyTimestamp
	return cfg
}

// consoleConfig leaves out what the console line has in front of the fields.
func consoleConfig() zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		NameKey:        KeyLogger,
		CallerKey:      KeyLocation,
		StacktraceKey:  KeyStackTrace,
		LineEnding:     "\n",
		EncodeLevel:    encodeLevel,
		EncodeTime:     encodeTime,
		EncodeDuration: encodeDuration,
		EncodeCaller:   zapcore.ShortCallerEncoder,
		EncodeName:     zapcore.FullNameEncoder,
	}
}

func encodeLevel(l zapcore.Level, enc zapcore.PrimitiveArrayEncoder) { enc.AppendString(levelName(l)) }

// encodeDuration writes milliseconds with fractions; name such fields *_ms.
func encodeDuration(d time.Duration, enc zapcore.PrimitiveArrayEncoder) {
	enc.AppendFloat64(float64(d) / float64(time.Millisecond))
}

// timeLayout is RFC 3339 with exactly three digits of a second.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func encodeTime(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
	if layouts, ok := enc.(interface {
		AppendTimeLayout(t time.Time, layout string)
	}); ok {
		layouts.AppendTimeLayout(t.UTC(), timeLayout)
		return
	}
	enc.AppendString(t.UTC().Format(timeLayout))
}
