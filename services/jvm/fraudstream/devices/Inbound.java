package fraudstream.devices;

import com.hivemq.extension.sdk.api.async.Async;
import com.hivemq.extension.sdk.api.async.TimeoutFallback;
import com.hivemq.extension.sdk.api.interceptor.publish.PublishInboundInterceptor;
import com.hivemq.extension.sdk.api.interceptor.publish.parameter.PublishInboundInput;
import com.hivemq.extension.sdk.api.interceptor.publish.parameter.PublishInboundOutput;
import com.hivemq.extension.sdk.api.packets.general.Qos;
import com.hivemq.extension.sdk.api.packets.publish.AckReasonCode;
import com.hivemq.extension.sdk.api.packets.publish.PublishPacket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Takes what a device publishes, and holds back its acknowledgement until the message is where it belongs.
 *
 * <p>The broker itself never gets a message: devices do not talk to each other through an IoT hub. What breaks a rule
 * of the hub ends the connection, as MQTT 3.1.1 knows no other way to say so.
 */
record Inbound(Connection connection, Flow flow, Destinations destinations) implements PublishInboundInterceptor {
    /** Bytes, of the body and of the properties ("Message size" of the service's documentation). */
    static final int LARGEST_MESSAGE = 256 * 1024;
    private static final Duration LONGEST = Duration.ofSeconds(90);

    @Override
    public void onInboundPublish(PublishInboundInput input, PublishInboundOutput output) {
        PublishPacket packet = input.getPublishPacket();
        byte[] body = packet.getPayload().map(Inbound::bytes).orElse(new byte[0]);
        if (connection.isRefused()) {
            flow.done(body.length);
            output.preventPublishDelivery(AckReasonCode.NOT_AUTHORIZED);
            return;
        }
        Async<PublishInboundOutput> answer =
            output.async(LONGEST, TimeoutFallback.FAILURE, AckReasonCode.UNSPECIFIED_ERROR);
        accept(packet, body).whenComplete((nothing, error) -> {
            flow.done(body.length);
            if (error != null) {
                connection.refuse();
                destinations.refused(connection, reason(error));
            }
            output.preventPublishDelivery(error == null ? AckReasonCode.SUCCESS : AckReasonCode.UNSPECIFIED_ERROR);
            answer.resume();
        });
    }

    private CompletableFuture<Void> accept(PublishPacket packet, byte[] body) {
        String device = connection.identity.device();
        if (packet.getQos() == Qos.EXACTLY_ONCE) {
            return failed("QoS 2 is not supported");
        }
        Optional<String> bag = Topic.telemetry(packet.getTopic(), device);
        if (bag.isPresent()) {
            return telemetry(packet, bag.get(), body);
        }
        return Topic.isRequest(packet.getTopic())
            ? destinations.request(connection, packet.getTopic(), body) : failed("not a topic of this device");
    }

    private CompletableFuture<Void> telemetry(PublishPacket packet, String bag, byte[] body) {
        Optional<Properties> properties = Properties.of(bag);
        if (properties.isEmpty()) {
            return failed("its properties are malformed");
        }
        if (body.length + properties.get().size() > LARGEST_MESSAGE) {
            return failed("it is larger than 262144 bytes");
        }
        if (packet.getRetain()) {
            properties.get().stamp("mqtt-retain", "true");
        }
        return destinations.telemetry(connection, packet.getTopic(), properties.get(), body);
    }

    private static String reason(Throwable error) {
        Throwable cause = error.getCause() == null ? error : error.getCause();
        return cause instanceof Refused ? cause.getMessage() : cause.toString();
    }

    static CompletableFuture<Void> failed(String reason) {
        return CompletableFuture.failedFuture(new Refused(reason));
    }

    static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** A message that breaks a rule of the hub. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String reason) {
            super(reason, null, false, false);
        }
    }
}
