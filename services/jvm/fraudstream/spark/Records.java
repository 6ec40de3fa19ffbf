package fraudstream.spark;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.Texts;
import fraudstream.model.Decision;
import fraudstream.model.Ensemble;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/** The values of {@code scored} and {@code rejected}. */
final class Records {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int DECISION_BYTES = 512;

    private Records() {
    }

    /**
     * An event's own bytes, so that money and unknown fields are what their sender wrote, with the decision added.
     */
    static byte[] scored(byte[] value, Event event, Ensemble ensemble, Decision decision, Source source) {
        int kept = lastBrace(value);
        Bytes bytes = new Bytes(kept + DECISION_BYTES).all(value, kept);
        bytes.ascii(",\"event_time\":\"").seconds(event.eventSeconds());
        bytes.ascii("Z\",\"prediction\":").number(decision.prediction());
        bytes.ascii(",\"score\":").ascii(Double.toString(decision.score()));
        bytes.all(ensemble.inCommon, ensemble.inCommon.length);
        bytes.ascii(",\"scored_at\":\"").millis(System.currentTimeMillis());
        bytes.ascii("\",\"reasons\":").ascii(decision.reasons());
        source.into(bytes.ascii(",\"source\":"));
        return bytes.ascii("}").toArray();
    }

    /** The record of an event that is not scored; whatever it holds, this stays far below what a topic takes. */
    static byte[] rejected(byte[] value, byte[] key, Event event, String source) {
        byte[] raw = value == null ? new byte[0] : value;
        Contract contract = Contract.CURRENT;
        byte[] kept = raw.length <= contract.wholeRawBytes ? raw : Arrays.copyOf(raw, contract.cutRawBytes);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(kept.length * 4 / 3 + 512);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("reason", Texts.beginning(event.reason(), contract.shownReason));
            json.writeStringField("field", Texts.beginning(event.field(), contract.shownReason));
            json.writeStringField("raw_base64", Base64.getEncoder().encodeToString(kept));
            json.writeNumberField("raw_bytes", raw.length);
            json.writeStringField("raw_sha256", sha256(raw));
            if (key != null) {
                writeKey(json, key);
            }
            json.writeStringField("rejected_at", new Bytes(24).millis(System.currentTimeMillis()).text().toString());
            json.writeFieldName("source");
            json.writeRawValue(source);
            json.writeEndObject();
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: a rejected record cannot be written: " + error.getMessage());
        }
        return bytes.toByteArray();
    }

    /** The sender's key: as text where it is one and short, else its first bytes. */
    private static void writeKey(JsonGenerator json, byte[] key) throws IOException {
        String text = key.length <= Contract.CURRENT.wholeKeyBytes ? Texts.decoded(key) : null;
        if (text != null) {
            json.writeStringField("key", text);
            return;
        }
        byte[] kept = Arrays.copyOf(key, Math.min(key.length, Contract.CURRENT.wholeKeyBytes));
        json.writeStringField("key_base64", Base64.getEncoder().encodeToString(kept));
        json.writeNumberField("key_bytes", key.length);
    }

    /** The key of a rejected record: the sender's where that is short, else what stands for it among all others. */
    static byte[] rejectedKey(byte[] key) {
        return key == null || key.length <= Contract.CURRENT.wholeKeyBytes ? key : Contract.ascii(sha256(key));
    }

    private static int lastBrace(byte[] value) {
        int at = value.length - 1;
        while (value[at] != '}') {
            at--;
        }
        return at;
    }

    private static String sha256(byte[] value) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("fraudstream: this Java has no SHA-256");
        }
    }
}
