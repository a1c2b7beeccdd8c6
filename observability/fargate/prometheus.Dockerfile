# docker build -f observability/fargate/prometheus.Dockerfile observability
FROM prom/prometheus:v3.16.0
COPY prometheus.yaml /etc/prometheus/prometheus.yaml
COPY rules /etc/prometheus/rules
