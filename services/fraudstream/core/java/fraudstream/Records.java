package fraudstream;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/** The values of `scored` and `rejected`. */
final class Records {
    private static final JsonFactory JSON = new JsonFactory();

    private Records() {
    }

    /** Where a record came from, as JSON. */
    static String source(String topic, int partition, long offset, long enqueuedMillis) {
        StringBuilder text = new StringBuilder(110);
        text.append("{\"topic\":\"").append(topic).append("\",\"partition\":").append(partition);
        text.append(",\"offset\":").append(offset).append(",\"enqueued_at\":\"");
        return text.append(Times.ofMillis(enqueuedMillis)).append("\"}").toString();
    }

    /**
     * An event's own bytes, so that money and unknown fields are what their sender wrote, with the decision added.
     */
    static byte[] scored(byte[] value, Event event, Decision decision, String source, long nowMillis) {
        StringBuilder added = new StringBuilder(360);
        added.append(",\"event_time\":\"").append(Times.ofSeconds(event.eventSeconds));
        added.append("\",\"prediction\":").append(decision.prediction);
        added.append(",\"score\":").append(decision.score);
        added.append(",\"threshold\":").append(decision.threshold);
        added.append(",\"model_version\":\"").append(decision.modelVersion);
        added.append("\",\"scored_at\":\"").append(Times.ofMillis(nowMillis));
        added.append("\",\"reasons\":").append(decision.reasons);
        added.append(",\"source\":").append(source).append('}');
        byte[] ending = added.toString().getBytes(StandardCharsets.UTF_8);
        int kept = lastBrace(value);
        byte[] whole = Arrays.copyOf(value, kept + ending.length);
        System.arraycopy(ending, 0, whole, kept, ending.length);
        return whole;
    }

    /** The record of an event that breaks the contract; very large values are cut. */
    static byte[] rejected(byte[] value, byte[] key, Event event, String source, long nowMillis) {
        byte[] raw = value == null ? new byte[0] : value;
        Contract contract = Contract.CURRENT;
        byte[] kept = raw.length <= contract.wholeRawBytes ? raw : Arrays.copyOf(raw, contract.cutRawBytes);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(kept.length * 4 / 3 + 512);
        try {
            JsonGenerator json = JSON.createGenerator(bytes);
            json.writeStartObject();
            json.writeStringField("reason", event.reason);
            json.writeStringField("field", event.field);
            json.writeStringField("raw_base64", Base64.getEncoder().encodeToString(kept));
            json.writeNumberField("raw_bytes", raw.length);
            json.writeStringField("raw_sha256", sha256(raw));
            if (key != null) {
                json.writeStringField("key", new String(key, StandardCharsets.UTF_8));
            }
            json.writeStringField("rejected_at", Times.ofMillis(nowMillis));
            json.writeFieldName("source");
            json.writeRawValue(source);
            json.writeEndObject();
            json.close();
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: a rejected record cannot be written: " + error.getMessage());
        }
        return bytes.toByteArray();
    }

    private static int lastBrace(byte[] value) {
        int at = value.length - 1;
        while (value[at] != '}') {
            at--;
        }
        return at;
    }

    private static String sha256(byte[] value) {
        byte[] digest;
        try {
            digest = MessageDigest.getInstance("SHA-256").digest(value);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("fraudstream: this Java has no SHA-256");
        }
        StringBuilder text = new StringBuilder(64);
        for (int at = 0; at < digest.length; at++) {
            text.append(Character.forDigit(digest[at] >> 4 & 15, 16)).append(Character.forDigit(digest[at] & 15, 16));
        }
        return text.toString();
    }
}
