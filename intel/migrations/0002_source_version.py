from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("intel", "0001_initial")]

    operations = [
        migrations.RenameField("threatactor", "version", "source_version"),
    ]
