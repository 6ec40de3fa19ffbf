package fraudstream.model;

/**
 * What a model says of one event.
 *
 * @param prediction 1 for an alert, else 0
 * @param score the probability of fraud
 * @param reasons JSON, a list that is empty unless it is an alert
 */
public record Decision(int prediction, double score, String reasons) {
}
