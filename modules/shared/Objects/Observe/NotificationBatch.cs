using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Objects;

/// <summary>Puts values into notifications of at most <see cref="MaxBytes"/>.</summary>
public static class NotificationBatch
{
    /// <summary>IoT Hub bills a message in units of 4 KB.</summary>
    public const int MaxBytes = 4096;

    private static readonly int Frame = JsonSerializer
        .SerializeToUtf8Bytes(new Notification([]), ContractsJson.Default.Notification)
        .Length;

    /// <summary>Throws <c>tooLarge</c> when a value fits into no notification.</summary>
    public static void RequireFits(ResourceValue value)
    {
        var size = Frame + SizeOf(value);
        if (size > MaxBytes)
        {
            throw ErrorRegistry.TooLarge.Exception(
                Subsystems.Telemetry,
                value.Resource,
                $"The value makes a notification of {size} bytes.",
                ("limit", MaxBytes.ToString(System.Globalization.CultureInfo.InvariantCulture))
            );
        }
    }

    /// <summary>Fills notifications one after the other, in order.</summary>
    public static IReadOnlyList<Notification> Split(IReadOnlyList<ResourceValue> values)
    {
        var batches = new List<Notification>();
        var batch = new List<ResourceValue>();
        var size = Frame;
        foreach (var value in values)
        {
            var more = SizeOf(value) + (batch.Count > 0 ? 1 : 0); // The comma.
            if (batch.Count > 0 && size + more > MaxBytes)
            {
                batches.Add(new([.. batch]));
                batch.Clear();
                size = Frame;
                more--;
            }
            batch.Add(value);
            size += more;
        }
        if (batch.Count > 0)
        {
            batches.Add(new([.. batch]));
        }
        return batches;
    }

    private static int SizeOf(ResourceValue value) =>
        JsonSerializer.SerializeToUtf8Bytes(value, ContractsJson.Default.ResourceValue).Length;
}
