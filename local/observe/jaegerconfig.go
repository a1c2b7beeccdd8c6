package observe

// jaegerConfig keeps traces in memory and serves them. Its gaps are the addresses of its pages, of the queries by gRPC, of
// OTLP over HTTP and of the health check, the port of its own metrics, and the folder with the page that it serves.
const jaegerConfig = `
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines:
    traces: {receivers: [otlp], processors: [], exporters: [jaeger_storage_exporter]}
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[5]d}}}}]}
extensions:
  healthcheckv2: {use_v2: true, http: {endpoint: "%[4]s", status: {enabled: true, path: /}}}
  jaeger_query:
    storage: {traces: memory}
    ui: {assets_path: %[6]q}
    http: {endpoint: "%[1]s"}
    grpc: {endpoint: "%[2]s"}
  jaeger_storage: {backends: {memory: {memory: {max_traces: 20000}}}}
receivers:
  otlp: {protocols: {http: {endpoint: "%[3]s"}}}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
`
