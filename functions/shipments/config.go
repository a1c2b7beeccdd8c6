package shipments

// Config is the environment of the route that carriers call.
type Config struct {
	// CarrierKeys says where the carriers' keys are: an ARN of Secrets Manager, file:/path, or their JSON.
	CarrierKeys string `env:"CARRIER_KEY_SECRET,required,notEmpty"`
}
