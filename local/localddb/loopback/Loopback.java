import java.lang.reflect.Field;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.monitoring.Telemetry;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * Starts DynamoDB Local on chosen addresses. Its own main listens on every address of the machine, and no
 * option changes that. The arguments are those of DynamoDB Local; the system property hosts has the
 * addresses, separated by commas.
 */
public final class Loopback {
    public static void main(String[] args) {
        try {
            Telemetry.configureTelemetry("", "", false);
            DynamoDBProxyServer engine = ServerRunner.createServerFromCommandLineArgs(args);
            Field field = DynamoDBProxyServer.class.getDeclaredField("server");
            field.setAccessible(true);
            Server jetty = (Server) field.get(engine);
            ServerConnector first = (ServerConnector) jetty.getConnectors()[0];
            String[] hosts = System.getProperty("hosts").split(",");
            first.setHost(hosts[0]);
            for (int i = 1; i < hosts.length; i++) {
                ServerConnector other = new ServerConnector(jetty, first.getConnectionFactories().toArray(new org.eclipse.jetty.server.ConnectionFactory[0]));
                other.setPort(first.getPort());
                other.setHost(hosts[i]);
                jetty.addConnector(other);
            }
            engine.start();
        } catch (Throwable reason) {
            for (Throwable cause = reason; cause != null; cause = cause.getCause()) {
                System.err.println(cause);
            }
            System.exit(1);
        }
    }
}
