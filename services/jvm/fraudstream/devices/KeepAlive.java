package fraudstream.devices;

import com.hivemq.extension.sdk.api.interceptor.connect.ConnectInboundInterceptor;
import com.hivemq.extension.sdk.api.interceptor.connect.parameter.ConnectInboundInput;
import com.hivemq.extension.sdk.api.interceptor.connect.parameter.ConnectInboundOutput;

/**
 * The hub's limit of silence: a connection ends after 1.5 times the device's interval, and after 1767 seconds at most.
 *
 * <p>Source: "Default keep-alive timeout" of "Communicate with an IoT hub using the MQTT protocol".
 */
final class KeepAlive implements ConnectInboundInterceptor {
    private static final int MOST_SECONDS = 1177;

    @Override
    public void onConnect(ConnectInboundInput input, ConnectInboundOutput output) {
        int asked = input.getConnectPacket().getKeepAlive();
        if (asked == 0 || asked > MOST_SECONDS) {
            output.getConnectPacket().setKeepAlive(MOST_SECONDS);
        }
    }
}
