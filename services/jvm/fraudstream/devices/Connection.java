package fraudstream.devices;

import com.hivemq.extension.sdk.api.packets.connect.WillPublishPacket;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** One connection of a device that has signed in, with what the registry said of it. */
final class Connection {
    final String number;
    final Identity identity;
    final Optional<WillPublishPacket> will;
    /** The topic filters that it asked for in this connection. */
    final Set<String> filters = ConcurrentHashMap.newKeySet();

    private volatile boolean refused;
    private volatile boolean revoked;

    Connection(String number, Identity identity, Optional<WillPublishPacket> will) {
        this.number = number;
        this.identity = identity;
        this.will = will;
    }

    /** Whatever it has sent and what was not looked at yet is thrown away. */
    void refuse() {
        refused = true;
    }

    boolean isRefused() {
        return refused;
    }

    /** The registry no longer knows the device so: nothing more is taken from it, its Will included. */
    void revoke() {
        refused = true;
        revoked = true;
    }

    boolean isRevoked() {
        return revoked;
    }

    /**
     * What the registry says of a device that signed in.
     *
     * @param method  how it signed in, as the header {@code iothub-connection-auth-method} says it
     * @param model   its model's id, or an empty text
     * @param expires when its token ends, seconds since 1970, or 0 for never
     */
    record Identity(String device, String generation, String method, String model, long expires) {
    }
}
