package fraudstream.devices;

import com.hivemq.extension.sdk.api.client.parameter.ConnectionInformation;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The connections of devices that have signed in. */
final class Connections {
    private static final String NUMBER = "fraudstream";

    private final Map<String, Connection> byNumber = new ConcurrentHashMap<>();
    private final Map<String, Connection> byDevice = new ConcurrentHashMap<>();

    /** Takes a connection that has signed in; it is not its device's until {@link #settle}. */
    void admit(ConnectionInformation information, Connection connection) {
        information.getConnectionAttributeStore().putAsString(NUMBER, connection.number);
        byNumber.put(connection.number, connection);
    }

    /** The connection takes the place of its device's former one. */
    void settle(Connection connection) {
        byDevice.put(connection.identity.device(), connection);
    }

    Optional<Connection> of(ConnectionInformation information) {
        return information.getConnectionAttributeStore().getAsString(NUMBER).map(byNumber::get);
    }

    Optional<Connection> ofDevice(String device) {
        return Optional.ofNullable(byDevice.get(device));
    }

    /** Forgets a connection that has ended. */
    void end(Connection connection) {
        byNumber.remove(connection.number);
        byDevice.remove(connection.identity.device(), connection);
    }
}
