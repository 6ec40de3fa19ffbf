package fraudstream.model;

/** What a model says of one event; {@code reasons} is JSON, empty unless it is an alert. */
final class Decision {
    final int prediction;
    final double score;
    final String reasons;

    Decision(int prediction, double score, String reasons) {
        this.prediction = prediction;
        this.score = score;
        this.reasons = reasons;
    }
}
