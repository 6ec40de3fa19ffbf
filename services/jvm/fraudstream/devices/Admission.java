package fraudstream.devices;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.hivemq.extension.sdk.api.async.Async;
import com.hivemq.extension.sdk.api.async.TimeoutFallback;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthInput;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthOutput;
import com.hivemq.extension.sdk.api.client.parameter.ConnectionInformation;
import com.hivemq.extension.sdk.api.packets.connect.ConnackReasonCode;
import com.hivemq.extension.sdk.api.packets.connect.ConnectPacket;
import com.hivemq.extension.sdk.api.packets.connect.WillPublishPacket;
import com.hivemq.extension.sdk.api.packets.general.MqttVersion;
import com.hivemq.extension.sdk.api.packets.general.Qos;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/** Asks the registry about each CONNECT. What it does not answer for does not get in. */
final class Admission implements SimpleAuthenticator {
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private final Link link;
    private final Connections connections;
    private final AtomicLong numbers = new AtomicLong();

    Admission(Link link, Connections connections) {
        this.link = link;
        this.connections = connections;
    }

    @Override
    public void onConnect(SimpleAuthInput input, SimpleAuthOutput output) {
        ConnectPacket packet = input.getConnectPacket();
        if (packet.getMqttVersion() != MqttVersion.V_3_1_1) {
            output.failAuthentication(ConnackReasonCode.UNSUPPORTED_PROTOCOL_VERSION, "An IoT hub speaks MQTT 3.1.1.");
            return;
        }
        Async<SimpleAuthOutput> answer =
            output.async(LONGEST, TimeoutFallback.FAILURE, ConnackReasonCode.SERVER_UNAVAILABLE);
        link.ask("connect", question(packet, input.getConnectionInformation())).whenComplete((identity, error) -> {
            decide(input, output, identity);
            answer.resume();
        });
    }

    private void decide(SimpleAuthInput input, SimpleAuthOutput output, JsonNode answer) {
        ConnectPacket packet = input.getConnectPacket();
        if (answer == null || !answer.path("accepted").asBoolean()) {
            output.failAuthentication(ConnackReasonCode.NOT_AUTHORIZED, "401003 IoTHubUnauthorized");
            return;
        }
        Connection.Identity identity = new Connection.Identity(
            packet.getClientId(),
            answer.path("generation").asText(),
            answer.path("method").asText(),
            answer.path("model").asText(),
            answer.path("expires").asLong());
        Optional<WillPublishPacket> will = packet.getWillPublish();
        if (will.isPresent() && !isTelemetry(will.get(), identity.device())) {
            link.log("warning", "will_refused", Map.of("device", identity.device()));
            output.failAuthentication(ConnackReasonCode.NOT_AUTHORIZED, "The Will is no telemetry of this device.");
            return;
        }
        String number = Long.toString(numbers.incrementAndGet());
        connections.admit(input.getConnectionInformation(), new Connection(number, identity, will));
        output.authenticateSuccessfully();
    }

    private static boolean isTelemetry(WillPublishPacket will, String device) {
        return will.getQos() != Qos.EXACTLY_ONCE
            && Topic.telemetry(will.getTopic(), device).flatMap(Properties::of).isPresent()
            && will.getPayload().map(payload -> payload.remaining() <= Inbound.LARGEST_MESSAGE).orElse(true);
    }

    private static ObjectNode question(ConnectPacket packet, ConnectionInformation information) {
        ObjectNode question = Link.JSON.createObjectNode()
            .put("client", packet.getClientId())
            .put("user", packet.getUserName().orElse(""))
            .put("password", packet.getPassword().map(StandardCharsets.UTF_8::decode).map(Object::toString).orElse(""));
        information.getClientTlsInformation().flatMap(tls -> tls.getClientCertificate()).ifPresent(certificate ->
            question.put("name", commonName(certificate))
                .put("thumbprint", thumbprint(certificate, "SHA-1"))
                .put("thumbprint256", thumbprint(certificate, "SHA-256")));
        return question;
    }

    private static String commonName(X509Certificate certificate) {
        try {
            for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    return String.valueOf(part.getValue());
                }
            }
        } catch (InvalidNameException error) {
            // A subject that is no name has none.
        }
        return "";
    }

    private static String thumbprint(X509Certificate certificate, String algorithm) {
        try {
            byte[] digest = MessageDigest.getInstance(algorithm).digest(certificate.getEncoded());
            return HexFormat.of().withUpperCase().formatHex(digest);
        } catch (NoSuchAlgorithmException | CertificateEncodingException error) {
            throw new IllegalStateException(error);
        }
    }
}
