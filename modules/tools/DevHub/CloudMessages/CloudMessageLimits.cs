namespace EdgeDm.DevHub.CloudMessages;

/// <summary>What may wait for a device, with IoT Hub's numbers (its documentation, "Send cloud-to-device messages").</summary>
/// <param name="MostWaiting">Messages of one device; one more is refused.</param>
/// <param name="LargestMessage">Bytes of a body and its properties.</param>
/// <param name="DefaultLife">How long a message waits that says nothing else.</param>
/// <param name="LongestLife">How long one may wait at most.</param>
public sealed record CloudMessageLimits(
    int MostWaiting = 50,
    int LargestMessage = 64 * 1024,
    TimeSpan? DefaultLife = null,
    TimeSpan? LongestLife = null
)
{
    /// <summary><see cref="DefaultLife"/>: an hour where nothing is said.</summary>
    public TimeSpan EffectiveDefaultLife => DefaultLife ?? TimeSpan.FromHours(1);

    /// <summary><see cref="LongestLife"/>: two days where nothing is said.</summary>
    public TimeSpan EffectiveLongestLife => LongestLife ?? TimeSpan.FromDays(2);
}
