package fraudstream;

/** What the model says of one event; {@code reasons} is JSON, empty unless it is an alert. */
final class Decision {
    final int prediction;
    final double score;
    final double threshold;
    final String modelVersion;
    final String reasons;

    Decision(int prediction, double score, double threshold, String modelVersion, String reasons) {
        this.prediction = prediction;
        this.score = score;
        this.threshold = threshold;
        this.modelVersion = modelVersion;
        this.reasons = reasons;
    }
}
