from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="complianceframework",
            name="source_version",
            field=models.CharField(blank=True, editable=False, max_length=128, default=""),
            preserve_default=False,
        ),
        migrations.RenameField("compliancecontrol", "version", "source_version"),
    ]
