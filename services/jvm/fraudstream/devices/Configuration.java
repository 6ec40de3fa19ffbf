package fraudstream.devices;

import com.fasterxml.jackson.databind.JsonNode;
import com.hivemq.configuration.info.SystemInformationImpl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;

/** What HiveMQ reads before it starts: its own file, written from our settings. */
final class Configuration {
    // A PUBLISH of the largest message, with a topic as long as MQTT has them.
    private static final int LARGEST_PACKET = Inbound.LARGEST_MESSAGE + 65_535 + 16;

    private Configuration() {
    }

    /** Writes the file, and the key store where there is a certificate. */
    static SystemInformationImpl write(Path folder, JsonNode settings) throws IOException, GeneralSecurityException {
        Path own = Files.createDirectories(folder.resolve("conf"));
        Path data = Files.createDirectories(folder.resolve("data"));
        Path extensions = Files.createDirectories(folder.resolve("extensions"));
        Files.writeString(own.resolve("config.xml"), text(own, settings));
        SystemInformationImpl places =
            new SystemInformationImpl(false, true, own.toFile(), data.toFile(), extensions.toFile());
        places.init();
        return places;
    }

    /** Removes what only the start needs. */
    static void forget(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve("conf").resolve("config.xml"));
    }

    private static String text(Path folder, JsonNode settings) throws IOException, GeneralSecurityException {
        String host = settings.path("host").asText();
        StringBuilder listeners = new StringBuilder();
        if (settings.path("port").asInt() > 0) {
            listeners.append("<tcp-listener>").append(place(settings.path("port").asInt(), host))
                .append("</tcp-listener>");
        }
        if (settings.hasNonNull("certificate")) {
            listeners.append("<tls-tcp-listener>").append(place(settings.path("tls_port").asInt(), host))
                .append(tls(folder, settings)).append("</tls-tcp-listener>");
        }
        return """
            <?xml version="1.0"?>
            <hivemq>
              <listeners>%s</listeners>
              <mqtt>
                <packets><max-packet-size>%d</max-packet-size></packets>
                <quality-of-service><max-qos>1</max-qos></quality-of-service>
                <queued-messages><max-queue-size>64</max-queue-size><strategy>discard</strategy></queued-messages>
              </mqtt>
              <restrictions><max-client-id-length>256</max-client-id-length></restrictions>
              <security><allow-empty-client-id><enabled>false</enabled></allow-empty-client-id></security>
              <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
            </hivemq>
            """.formatted(listeners, LARGEST_PACKET);
    }

    private static String place(int port, String host) {
        return "<port>%d</port><bind-address>%s</bind-address>".formatted(port, host);
    }

    private static String tls(Path folder, JsonNode settings) throws IOException, GeneralSecurityException {
        byte[] secret = new byte[24];
        new SecureRandom().nextBytes(secret);
        String password = HexFormat.of().formatHex(secret);
        Path keys = folder.resolve("keys.jks");
        Certificates.keys(
            Path.of(settings.path("certificate").asText()), Path.of(settings.path("key").asText()), password, keys);
        StringBuilder text = new StringBuilder("<tls><keystore>").append(store(keys, password))
            .append("<private-key-password>").append(password).append("</private-key-password></keystore>");
        if (settings.hasNonNull("authorities")) {
            Path trusted = folder.resolve("trusted.jks");
            Certificates.authorities(Path.of(settings.path("authorities").asText()), password, trusted);
            text.append("<truststore>").append(store(trusted, password)).append("</truststore>")
                .append("<client-authentication-mode>OPTIONAL</client-authentication-mode>");
        }
        return text.append("<protocols><protocol>TLSv1.2</protocol><protocol>TLSv1.3</protocol></protocols></tls>")
            .toString();
    }

    private static String store(Path file, String password) {
        return "<path>%s</path><password>%s</password>".formatted(file.toAbsolutePath(), password);
    }
}
