package fraudstream.devices;

import com.fasterxml.jackson.databind.JsonNode;
import com.hivemq.extension.sdk.api.interceptor.puback.PubackInboundInterceptor;
import com.hivemq.extension.sdk.api.interceptor.puback.parameter.PubackInboundInput;
import com.hivemq.extension.sdk.api.interceptor.puback.parameter.PubackInboundOutput;
import com.hivemq.extension.sdk.api.interceptor.publish.PublishOutboundInterceptor;
import com.hivemq.extension.sdk.api.interceptor.publish.parameter.PublishOutboundInput;
import com.hivemq.extension.sdk.api.interceptor.publish.parameter.PublishOutboundOutput;
import com.hivemq.extension.sdk.api.packets.general.Qos;
import com.hivemq.extension.sdk.api.packets.publish.PublishPacket;
import com.hivemq.extension.sdk.api.services.Services;
import com.hivemq.extension.sdk.api.services.builder.Builders;
import com.hivemq.extension.sdk.api.services.builder.PublishBuilder;
import com.hivemq.extension.sdk.api.services.publish.PublishToClientResult;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Brings messages to devices, and says which of them the devices have acknowledged. */
final class Delivery {
    // An MQTT 3.1.1 packet has no such property; the broker keeps it beside the message.
    private static final String LOCK = "lock";

    private final Link link;
    private final Connections connections;

    Delivery(Link link, Connections connections) {
        this.link = link;
        this.connections = connections;
    }

    /**
     * Delivers a message to a connected device that has subscribed to its topic; completes with whether there is one.
     * {@code message}: client, topic, body in Base64, qos, and lock where the acknowledgement is of interest.
     */
    CompletableFuture<Boolean> deliver(JsonNode message) {
        String device = message.path("client").asText();
        if (connections.ofDevice(device).isEmpty()) {
            return CompletableFuture.completedFuture(false);
        }
        PublishBuilder publish = Builders.publish()
            .topic(message.path("topic").asText())
            .qos(message.path("qos").asInt() == 0 ? Qos.AT_MOST_ONCE : Qos.AT_LEAST_ONCE)
            .payload(ByteBuffer.wrap(Base64.getDecoder().decode(message.path("body").asText())));
        if (message.hasNonNull(LOCK)) {
            publish.userProperty(LOCK, message.get(LOCK).asText());
        }
        return Services.publishService().publishToClient(publish.build(), device)
            .thenApply(result -> result == PublishToClientResult.SUCCESSFUL);
    }

    /** The interceptors of one connection. */
    Watch watch(String device) {
        return new Watch(device);
    }

    /** Which packet of a connection carries which message. */
    final class Watch implements PublishOutboundInterceptor, PubackInboundInterceptor {
        private final String device;
        private final Map<Integer, String> locks = new ConcurrentHashMap<>();

        private Watch(String device) {
            this.device = device;
        }

        @Override
        public void onOutboundPublish(PublishOutboundInput input, PublishOutboundOutput output) {
            PublishPacket packet = input.getPublishPacket();
            packet.getUserProperties().getFirst(LOCK).ifPresent(lock -> {
                if (packet.getQos() == Qos.AT_MOST_ONCE) {
                    completed(lock);
                } else {
                    locks.put(packet.getPacketId(), lock);
                }
            });
        }

        @Override
        public void onInboundPuback(PubackInboundInput input, PubackInboundOutput output) {
            String lock = locks.remove(input.getPubackPacket().getPacketIdentifier());
            if (lock != null) {
                completed(lock);
            }
        }

        private void completed(String lock) {
            link.tell("completed", Link.JSON.createObjectNode().put("client", device).put(LOCK, lock));
        }
    }
}
