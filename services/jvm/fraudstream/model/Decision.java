package fraudstream.model;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.charset.StandardCharsets;

/**
 * What a model says of one event.
 *
 * @param prediction 1 for an alert, else 0
 * @param score the probability of fraud
 * @param reasons JSON, a list that is empty unless it is an alert
 */
public record Decision(int prediction, double score, String reasons) {
    /** What all scored records of a version have in common, as members of their JSON in UTF-8. */
    public static byte[] inCommon(double threshold, String version) {
        StringBuilder json = new StringBuilder(64).append(",\"threshold\":").append(threshold);
        json.append(",\"model_version\":\"");
        JsonStringEncoder.getInstance().quoteAsString(version, json);
        return json.append('"').toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Adds a reason to a list of them in JSON, which has begun. */
    public static void addReason(StringBuilder json, String field, double contribution) {
        json.append(json.length() == 1 ? "{\"field\":\"" : ",{\"field\":\"");
        JsonStringEncoder.getInstance().quoteAsString(field, json);
        json.append("\",\"contribution\":").append(contribution).append('}');
    }
}
