using System.CommandLine;
using System.Text;

namespace EdgeDm.Cli;

/// <summary>What every command that sends a message takes: its body, properties and content type.</summary>
internal sealed class MessageOptions
{
    private readonly Argument<string?> body = new("body")
    {
        Description = $"The message: {InputText.Forms}. [default: empty]",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string[]> properties = new("--property")
    {
        Description =
            "Application property of the message, or a system property as $.cid; may be given several times. $.mid is made when absent.",
        HelpName = "name=value",
    };

    private readonly Option<string> contentType = new("--content-type")
    {
        Description = "The message's content type.",
        HelpName = "type",
        DefaultValueFactory = _ => "application/json",
    };

    private MessageOptions() { }

    /// <summary>Adds them to a command.</summary>
    public static MessageOptions AddTo(Command command)
    {
        var options = new MessageOptions();
        command.Arguments.Add(options.body);
        command.Options.Add(options.properties);
        command.Options.Add(options.contentType);
        return options;
    }

    /// <summary>What a command line says.</summary>
    public TypedMessage Of(ParseResult result) =>
        new(result.GetValue(body), result.GetValue(properties) ?? [], result.GetRequiredValue(contentType));
}

/// <summary>A message as it was typed.</summary>
/// <param name="Body">A text, or where it is; null = empty.</param>
/// <param name="Properties"><c>name=value</c> each.</param>
/// <param name="ContentType">Of the body.</param>
internal sealed record TypedMessage(string? Body, IReadOnlyList<string> Properties, string ContentType)
{
    /// <summary>Reads it, with an id where it has none.</summary>
    /// <exception cref="CliException">A part is wrong.</exception>
    public async Task<OutgoingMessage> ReadAsync(CancellationToken cancellationToken)
    {
        MessageText.CheckContentType(ContentType);
        var properties = MessageText.Properties(Properties);
        var body = Body is { } argument ? await InputText.ReadAsync(argument, cancellationToken) : "";
        return new(Encoding.UTF8.GetBytes(body), ContentType, properties);
    }
}

/// <summary>A message to be sent.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="ContentType">Of the body.</param>
/// <param name="Properties">With an id among them.</param>
internal sealed record OutgoingMessage(
    ReadOnlyMemory<byte> Body,
    string ContentType,
    IReadOnlyList<KeyValuePair<string, string>> Properties
)
{
    /// <summary>By which receivers know it again.</summary>
    public string Id => MessageText.IdOf(Properties);
}
