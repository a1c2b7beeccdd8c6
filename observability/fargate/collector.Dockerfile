# docker build -f observability/fargate/collector.Dockerfile observability
FROM otel/opentelemetry-collector-contrib:0.161.0
COPY collector.yaml /etc/tienda/collector.yaml
COPY fargate/collector.yaml /etc/tienda/fargate.yaml
CMD ["--config=/etc/tienda/collector.yaml", "--config=/etc/tienda/fargate.yaml"]
