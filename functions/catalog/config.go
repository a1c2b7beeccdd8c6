package catalog

// Config is the environment of the catalogue's public reads.
type Config struct {
	// PublicCache is the Cache-Control header of what everybody may read. How long a browser or CDN
	// may serve an answer without asking is how long a change of a product may stay unseen.
	PublicCache string `env:"PUBLIC_CACHE_CONTROL,notEmpty" envDefault:"public, max-age=30, stale-while-revalidate=60"`
}
